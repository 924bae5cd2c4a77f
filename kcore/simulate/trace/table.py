"""From tables (CSV, also .gz and .xz) to a workload and to nodes: which column is what is told by whoever has the table, with its unit.

    cpu_milli:m    the column cpu_milli, in thousandths     memory_mib:Mi   in 1,048,576 bytes     plan_gpu:%   in hundredths of a GPU

A row that makes no sense (no time of arrival, a departure before it, text where a number should stand) is passed over and counted by the
reason. Amounts are exact: they are read as decimals, and rounded up to the unit in which the scheduler counts.
"""

from __future__ import annotations

import csv
import gzip
import lzma
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from kcore.machinery.labels import SelectorError, parse
from kcore.simulate.trace.workload import DEVICE, Kind, TraceError, Workload

Row = Mapping[str, str]

ISO: Final = "iso"
CPU_UNITS: Final = {"": 1000, "cores": 1000, "m": 1}
MEMORY_UNITS: Final = {
    "": 1, "B": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
PARTS: Final = {"": DEVICE, "m": DEVICE // 1000, "%": DEVICE // 100}
TIME_UNITS: Final = {"": Decimal(1), "s": Decimal(1), "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "min": Decimal(60), "h": Decimal(3600),
                     "d": Decimal(86400), ISO: Decimal(1)}  # fmt: skip
ONES: Final = {"": 1}
NODE_PODS: Final = 110
"""How many pods a node takes where its table does not say: a kubelet's default."""

OPENERS: Final[Mapping[str, Any]] = {".gz": gzip.open, ".xz": lzma.open}
REASONS_SHOWN: Final = 10
"""Reasons for which rows are passed over that are named."""


class Column(NamedTuple):
    """A column of a table, and what one of its unit is in the unit in which it is counted; nothing: the table has none such."""

    name: str = ""
    unit: Decimal = Decimal(1)
    is_date: bool = False

    def amount(self, row: Row) -> int:
        """Return an amount, rounded up; what is not said is 0."""
        return math.ceil(self.number(row) or 0)

    def number(self, row: Row) -> Decimal | None:
        """Return a number that is not negative; None where it is not said."""
        text = self.text(row)
        if not text:
            return None
        found = _date(text) if self.is_date else _decimal(text) * self.unit
        if not 0 <= found < Decimal(2) ** 62:
            raise _Odd(f"{self.name} is {text}")
        return found

    def text(self, row: Row) -> str:
        """Return what stands there."""
        return (row.get(self.name) or "").strip() if self.name else ""


def column(text: str, units: Mapping[str, int] | Mapping[str, Decimal]) -> Column:
    """Read NAME or NAME:UNIT.

    Raises  TraceError
    """
    name, colon, unit = text.rpartition(":")
    if not colon:
        return Column(text, Decimal(units[""]))
    if unit not in units:
        raise TraceError(f"{text}: {unit!r} is no unit; known are {', '.join(filter(None, units)) or 'none'}")
    return Column(name, Decimal(units[unit]), unit == ISO)


class PodColumns(NamedTuple):
    """Which columns of a table tell of pods.

    departure or duration: when a pod went, or how long it ran; a pod without either stays. start: from when on it ran, if not from arrival
    gpus, gpu_share: how many GPUs, and which part of each (all of it where nothing is said)
    selector  a label selector; required: columns of values separated by a bar, one of which a label of the node must have
    """

    arrival: Column
    name: Column = Column()
    duration: Column = Column()
    departure: Column = Column()
    start: Column = Column()
    cpu: Column = Column()
    memory: Column = Column()
    gpus: Column = Column()
    gpu_share: Column = Column()
    selector: Column = Column()
    priority: Column = Column()
    required: tuple[tuple[Column, str], ...] = ()


class NodeColumns(NamedTuple):
    """Which columns of a table tell of nodes; labels: columns, and the label that each is."""

    name: Column = Column()
    cpu: Column = Column()
    memory: Column = Column()
    gpus: Column = Column()
    pods: Column = Column()
    labels: tuple[tuple[Column, str], ...] = ()


def read_pods(path: Path, columns: PodColumns) -> Workload:
    """Read the pods of a trace.

    Raises  TraceError, OSError
    """
    kinds: dict[Kind, int] = {}
    found, skipped = [], Counter[str]()
    for number, row in enumerate(_rows(path, [*columns[:-1], *(each for each, _ in columns.required)])):
        try:
            at_s, for_s = _times(row, columns)
            kind = kinds.setdefault(_kind(row, columns), len(kinds))
        except _Odd as error:
            skipped[str(error)] += 1
            continue
        found.append((at_s, number, for_s, kind, columns.name.text(row) or f"pod-{number}"))
    if not found:
        raise TraceError(f"{path}: there is no pod that could be replayed")
    found.sort()
    first_s = found[0][0]
    counts = Counter(name for *_, name in found)
    return Workload(
        tuple(kinds),
        [name if counts[name] == 1 else f"{name}.{number}" for _, number, _, _, name in found],
        np.array([kind for *_, kind, _ in found], np.int64),
        np.array([float(at_s - first_s) for at_s, *_ in found]),
        np.array([for_s for _, _, for_s, *_ in found]),
        _shortened(skipped),
    )


def read_nodes(path: Path, columns: NodeColumns, gpu_resource: str) -> list[dict[str, Any]]:
    """Read nodes, as objects in JSON form.

    Raises  TraceError, OSError
    """
    found = []
    for number, row in enumerate(_rows(path, [*columns[:-1], *(each for each, _ in columns.labels)])):
        try:
            amounts = {"cpu": f"{columns.cpu.amount(row)}m", "memory": str(columns.memory.amount(row))}
            amounts["pods"] = str(columns.pods.amount(row) or NODE_PODS)
            if gpus := columns.gpus.amount(row):
                amounts[gpu_resource] = str(gpus)
        except _Odd as error:
            raise TraceError(f"{path}: row {number + 1}: {error}") from error
        name = columns.name.text(row) or f"node-{number}"
        labels = {"kubernetes.io/hostname": name} | {label: value for each, label in columns.labels if (value := each.text(row))}
        metadata = {"name": name, "labels": labels}
        found.append({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"capacity": amounts}})
    return found


class _Odd(Exception):
    """A row makes no sense; the text says why."""


def _rows(path: Path, columns: Sequence[Column]) -> Iterator[Row]:
    with OPENERS.get(path.suffix, open)(path, "rt", newline="", encoding="utf-8-sig") as lines:
        try:
            reader = csv.DictReader(lines)
            missing = [each.name for each in columns if each.name and each.name not in (reader.fieldnames or ())]
            if missing:
                raise TraceError(f"{path} has no column {missing[0]}; it has {', '.join(reader.fieldnames or ('none',))}")
            yield from reader
        except (csv.Error, UnicodeDecodeError, lzma.LZMAError, gzip.BadGzipFile, EOFError) as error:
            raise TraceError(f"{path} is no table: {error}") from error


def _times(row: Row, columns: PodColumns) -> tuple[Decimal, float]:
    """Return when a pod comes, and how long it runs, in seconds."""
    at_s = columns.arrival.number(row)
    if at_s is None:
        raise _Odd("there is no time of arrival")
    for_s = columns.duration.number(row)
    departs_s = columns.departure.number(row)
    if for_s is None and departs_s is not None:
        for_s = departs_s - (columns.start.number(row) or at_s)
        if for_s < 0:
            raise _Odd("it goes before it runs")
    return at_s, math.inf if for_s is None else float(for_s)


def _kind(row: Row, columns: PodColumns) -> Kind:
    gpus, share = columns.gpus.number(row), columns.gpu_share.number(row)
    total = (share if gpus is None else gpus) or Decimal(0)
    devices = math.ceil(total / DEVICE)
    part = math.ceil(share if gpus and share else total / max(devices, 1))
    if part > DEVICE:
        raise _Odd("it asks for more than the whole of each of its GPUs")
    priority = int(columns.priority.number(row) or 0)
    return Kind(columns.cpu.amount(row), columns.memory.amount(row), devices, part, _selector(row, columns), priority)


def _selector(row: Row, columns: PodColumns) -> str:
    """Return all that a pod requires of nodes' labels as one selector."""
    texts = [columns.selector.text(row)]
    for each, label in columns.required:
        values = sorted({value.strip() for value in each.text(row).split("|")} - {""})
        texts += [f"{label} in ({','.join(values)})"] if values else []
    try:
        return str(parse(",".join(filter(None, texts))))
    except SelectorError as error:
        raise _Odd(f"{','.join(filter(None, texts))} is no selector") from error


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise _Odd(f"{text!r} is no number") from None
    if not found.is_finite():
        raise _Odd(f"{text!r} is no number")
    return found


def _date(text: str) -> Decimal:
    try:
        return Decimal(str(datetime.fromisoformat(text).timestamp()))
    except ValueError:
        raise _Odd(f"{text!r} is no date") from None


def _shortened(skipped: Counter[str]) -> dict[str, int]:
    """Return the commonest reasons, and how many there are of others."""
    found = dict(skipped.most_common(REASONS_SHOWN))
    others = skipped.total() - sum(found.values())
    return found | ({"of other reasons": others} if others else {})


def labels_of(texts: Iterable[str]) -> tuple[tuple[Column, str], ...]:
    """Read COLUMN=LABEL, or COLUMN for a label of the same name."""
    pairs = (text.partition("=") for text in texts)
    return tuple((Column(name), label or name) for name, _, label in pairs)
