"""Deleting the objects of a resource that match, each by the rules of its own deletion."""

from __future__ import annotations

from typing import Any

from kcore.apiserver.objects import Outcome
from kcore.apiserver.reads import Reads
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import status
from kcore.store.storage import Submission

LIST_OPTIONS = ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch")


def delete_collection(registry: Registry, reads: Reads, write: Write, options: dict[str, Any]) -> Outcome:
    """Delete what matches; -> the list as it was. An object that somebody else deleted meanwhile is passed over."""
    spec = write.spec
    raw, names = reads.collection(spec, write.namespace, {name: options[name] for name in LIST_OPTIONS if name in options})
    last: Submission | None = None
    for namespace, name in names:
        try:
            last = registry.delete(registry.writing(spec, namespace, name, write.user, write.dry_run), options).submission or last
        except status.StatusError as error:
            if error.reason != "NotFound":
                raise
    return Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw, last)
