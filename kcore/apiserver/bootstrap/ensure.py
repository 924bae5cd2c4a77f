"""Creates what is missing, and completes roles and bindings that lost something.

Source: Kubernetes `pkg/registry/rbac/reconciliation`, `pkg/registry/rbac/rest/storage_rbac.go`.
"""

from __future__ import annotations

import copy
from typing import Any

from kcore.apiserver.authorization import rules
from kcore.apiserver.bootstrap.flows import flows
from kcore.apiserver.bootstrap.network import SELF, mend_addresses
from kcore.apiserver.bootstrap.objects import objects
from kcore.apiserver.bootstrap.roles import AUTOUPDATE, roles
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import gvk
from kcore.store.storage import Submission

Object = dict[str, Any]


def ensure(registry: Registry, service_address: str, client_ca: str = "") -> Submission | None:
    """Put all of it in place in one commit; -> the last write to wait for."""
    last: Submission | None = None
    with registry.storage.batch():
        for obj in (*objects(service_address, registry.chain.addresses.cidrs, client_ca), *flows(), *roles(registry.features)):
            last = put(registry, obj) or last
        return mend_addresses(registry) or last


def put(registry: Registry, obj: Object) -> Submission | None:
    """Put one object in place; None if it is as it should be."""
    spec = registry.scheme.kinds[gvk.from_object(obj)]
    metadata = obj["metadata"]
    write = registry.writing(spec, metadata.get("namespace", ""), metadata["name"], SELF.name)
    write.caller = SELF
    present = registry.head(spec, write.namespace, write.name)
    if present is None:
        return registry.create(write, copy.deepcopy(obj)).submission
    if "rules" not in obj and "roleRef" not in obj:
        return None
    old = present.obj()
    if "roleRef" in obj and old.get("roleRef") != obj["roleRef"] and is_kept(old):
        registry.remove(write, old, present.raw, present.revision)
        return registry.create(again(registry, write), copy.deepcopy(obj)).submission
    new = completed(old, obj)
    return None if new == old else registry.update(write, lambda _: new).submission


def again(registry: Registry, write: Write) -> Write:
    """The frame of another write of the same object."""
    fresh = registry.writing(write.spec, write.namespace, write.name, write.user)
    fresh.caller = write.caller
    return fresh


def is_kept(old: Object) -> bool:
    """Whether a role or binding is to be kept as it should be."""
    return (old["metadata"].get("annotations") or {}).get(AUTOUPDATE) != "false"


def completed(old: Object, wanted: Object) -> Object:
    """A role or binding with what it lacks; what was added to it stays."""
    if not is_kept(old):
        return old
    new = copy.deepcopy(old)
    for part in ("labels", "annotations"):
        kept = new["metadata"].get(part) or {}
        new["metadata"][part] = {**wanted["metadata"][part], **kept}
    if "subjects" in wanted:
        kept_subjects = new.get("subjects") or []
        lacking = [subject for subject in wanted["subjects"] if subject not in kept_subjects]
        if lacking:
            new["subjects"] = [*kept_subjects, *lacking]
    if "aggregationRule" in wanted:
        new["aggregationRule"] = wanted["aggregationRule"]
    elif lost := rules.missing(new.get("rules") or [], wanted.get("rules") or ()):
        new["rules"] = [*(new.get("rules") or ()), *rules.compact(lost)]
    return new
