"""Kinds that are served in two versions and stored in one: an object from the one form to the other.

Pure: dict -> dict, for each pair a module of its own; no wire form is the same in both, so bytes go through the dict form. Everything
behind the pipeline's front (rules, admission, store, watch hub) knows the stored version alone. Defaults are those of the version that a
client speaks, then those of the stored one. A kind with a single version costs nothing here: its `KindSpec.converted` is false, and so is
that of the stored version of the others.

The stored versions are upstream's: autoscaling/v2 for the HorizontalPodAutoscaler, v1 for Events.
Source: Kubernetes `pkg/apis/*/*/conversion.go`; CONTRACT A16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from kcore.machinery import codec, defaults
from kcore.machinery.conversion import event, horizontal_pod_autoscaler
from kcore.machinery.fields import FieldSelector
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]


class Conversion(NamedTuple):
    """The ways between a served form and the stored one. What they return may share parts with what they get, which stays as it is.

    to_stored    from the served form
    from_stored  into the served form
    fields       selectable fields that the stored form calls otherwise
    """

    to_stored: Callable[[Object], Object]
    from_stored: Callable[[Object], Object]
    fields: Mapping[str, str]


_CONVERSIONS: Final[dict[GroupVersionKind, Conversion]] = {
    GroupVersionKind("autoscaling", "v1", "HorizontalPodAutoscaler"): Conversion(
        horizontal_pod_autoscaler.to_v2, horizontal_pod_autoscaler.to_v1, {}
    ),
    GroupVersionKind("events.k8s.io", "v1", "Event"): Conversion(event.to_core, event.to_events, event.FIELDS),
}


def of(spec: KindSpec) -> Conversion:
    """The conversion of a kind that is served in another version than it is stored in."""
    return _CONVERSIONS[spec.gvk]


def stored(spec: KindSpec, obj: Object) -> Object:
    """An object that a client sent in a version of `spec`, with that version's defaults, in the form that is stored."""
    if not spec.converted:
        return obj
    defaults.apply(spec.message, obj)
    return of(spec).to_stored(obj)


def served(spec: KindSpec, obj: Object) -> Object:
    """A stored object in the version of `spec`, with all that JSON shows in it."""
    return codec.normalise(spec.message, of(spec).from_stored(obj)) if spec.converted else obj


def around(spec: KindSpec, change: Callable[[Object], Object]) -> Callable[[Object], Object]:
    """A change of an object in the version of `spec`, as a change of the stored form; what is not there yet is empty in both."""
    if not spec.converted:
        return change
    return lambda old: stored(spec, change(served(spec, old) if old else old))


def message(spec: KindSpec, kept: KindSpec) -> Callable[[bytes], bytes]:
    """A function from the message of the stored version, `kept`, to that of `spec`."""
    from_stored = of(spec).from_stored

    def convert(raw: bytes) -> bytes:
        return codec.encode(spec.message, from_stored(codec.decode(kept.message, raw, kept.api_version, kept.kind)))

    return convert


def fields(spec: KindSpec, selector: FieldSelector) -> FieldSelector:
    """A field selector over a version, over the fields of the stored one."""
    names = of(spec).fields if spec.converted else {}
    return FieldSelector(tuple(term._replace(field=names.get(term.field, term.field)) for term in selector.terms)) if names else selector
