"""A request for a certificate says who made it, and its conditions when they came. Source: Kubernetes `pkg/registry/certificates`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcore.machinery import timestamp
from kcore.machinery.kinds.certificates.certificatesigningrequest import date_conditions

if TYPE_CHECKING:
    from kcore.apiserver.admission.cluster import Cluster
    from kcore.apiserver.registry import Write

Object = dict[str, Any]


def admit(write: Write, obj: Object, old: Object | None, _cluster: Cluster) -> None:
    """Note the caller in a new request, whatever it says; date the conditions of one whose status is written."""
    if old is None:
        obj["spec"] = {**(obj.get("spec") or {}), **requester(write)}
    elif write.subresource:
        date_conditions(obj, old, timestamp.format_time(write.now()))


def requester(write: Write) -> Object:
    """Who asks, in the fields of a request; None where there is nothing to say."""
    caller = write.caller
    extra = {key: list(values) for key, values in caller.extra}
    return {"username": caller.name, "uid": caller.uid, "groups": list(caller.groups) or None, "extra": extra or None}
