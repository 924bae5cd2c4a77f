"""What all computed cells share: the forms of absent and of many values.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from kcore.machinery import ages, labels
from kcore.machinery.codec import LazyObject

Object = dict[str, Any]
Cell = Callable[[Object, float], Any]
"""From an object and the time (unix seconds) to a cell."""

Cells = dict[tuple[str, str, str], Cell]
"""By group, kind and column."""

MESSAGES: Final = (dict, LazyObject)
NONE: Final = "<none>"
UNSET: Final = "<unset>"
UNKNOWN: Final = "<unknown>"


def plain(compute: Callable[[Object], Any]) -> Cell:
    """A cell that does not depend on the time."""
    return lambda obj, _now: compute(obj)


def at(path: str, missing: Any) -> Cell:
    """The value at a dotted path; `missing` where there is none, or an empty one."""
    names = path.split(".")
    return lambda obj, _now: walked(obj, names) or missing


def count(path: str) -> Cell:
    """How many a list or map at a dotted path has."""
    names = path.split(".")
    return lambda obj, _now: len(walked(obj, names) or ())


def part(obj: Object, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    return walked(obj, path.split("."))


def walked(obj: Object, names: Sequence[str]) -> Any:
    """The value at a path; None where there is none."""
    value: Any = obj
    for name in names:
        if not isinstance(value, MESSAGES):
            return None
        value = value.get(name)
    return value


def spec(obj: Object) -> Object:
    """What is wanted of an object."""
    return obj.get("spec") or {}


def status(obj: Object) -> Object:
    """How an object is."""
    return obj.get("status") or {}


def joined(values: Iterable[str]) -> str:
    """Comma-separated, `<none>` for nothing."""
    return ",".join(values) or NONE


def selector_text(found: Object | None) -> str:
    """A label selector in short; '' for none."""
    return str(labels.from_message(found)) if found else ""


def map_text(found: Object | None) -> str:
    """A map of labels in short."""
    return joined(f"{key}={value}" for key, value in sorted((found or {}).items()))


def since(moment: str | None, now: float, missing: Any = NONE) -> Any:
    """How long ago a time was; `missing` without one."""
    return ages.age(moment, now) if moment else missing


def created(obj: Object, now: float) -> Any:
    """How old an object is."""
    return since((obj.get("metadata") or {}).get("creationTimestamp"), now, UNKNOWN)


def is_true(obj: Object, condition: str) -> bool:
    """Whether a condition holds."""
    return any(each.get("type") == condition and each.get("status") == "True" for each in status(obj).get("conditions") or ())
