"""The hub, slow and obvious: it keeps every state of every object, and works out for each watch what it must have been told."""

from __future__ import annotations

from dataclasses import dataclass, field

from kcore.watch import Projected, WatchSpec

Event = tuple[str, bytes, int]


@dataclass
class HubTwin:
    """`log` has (revision, key, value before or None, value after or None) of all that is durable."""

    log: list[tuple[int, bytes, bytes | None, bytes | None]] = field(default_factory=list)
    present: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    def commit(self, revision: int, key: bytes, value: bytes | None) -> None:
        before = self.present.get(key, (None, 0))[0]
        if value is None:
            self.present.pop(key, None)
        else:
            self.present[key] = (value, revision)
        self.log.append((revision, key, before, value))


def project(value: bytes) -> Projected:
    """Values of tests are `namespace|name|app|node`."""
    namespace, name, app, node = value.decode().split("|")
    labels = {"app": app} if app else {}
    fields = {"metadata.name": name, "metadata.namespace": namespace}
    if node:
        fields["spec.nodeName"] = node
    return Projected(namespace, name, labels, fields)


@dataclass(frozen=True)
class Equal:
    """A selector of equalities; with `negated`, of inequalities."""

    pairs: tuple[tuple[str, str], ...]
    negated: bool = False

    def matches(self, values: dict[str, str]) -> bool:
        return all((values.get(name, "") == value) is not self.negated for name, value in self.pairs)

    def equalities(self) -> dict[str, str]:
        return {} if self.negated else dict(self.pairs)


def wants(spec: WatchSpec, value: bytes | None) -> bool:
    if value is None:
        return False
    projected = project(value)
    return (
        spec.namespace in ("", projected.namespace)
        and spec.name in ("", projected.name)
        and (spec.labels is None or spec.labels.matches(projected.labels))
        and (spec.fields is None or spec.fields.matches(projected.fields))
    )


def events(twin: HubTwin, spec: WatchSpec, after: int) -> list[Event]:
    """What a watch from a revision on must be told."""
    found: list[Event] = []
    for revision, _, before, value in twin.log:
        if revision <= after:
            continue
        was, is_wanted = wants(spec, before), wants(spec, value)
        if is_wanted:
            assert value is not None
            found.append(("MODIFIED" if was else "ADDED", value, revision))
        elif was:
            assert before is not None
            found.append(("DELETED", before, revision))
    return found


def selected(twin: HubTwin, spec: WatchSpec) -> list[tuple[bytes, bytes, int]]:
    """The present objects that a selection wants, in key order."""
    return [(key, value, revision) for key, (value, revision) in sorted(twin.present.items()) if wants(spec, value)]
