"""Deleting the objects of a resource that match, each by the rules of its own deletion."""

from __future__ import annotations

from typing import Any

from kcore.apiserver.objects import Outcome
from kcore.apiserver.reads import Reads
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import status


def delete_collection(registry: Registry, reads: Reads, write: Write, options: dict[str, Any]) -> Outcome:
    """Delete what matches; -> the deleted objects as a list. An object that somebody else deleted meanwhile is passed over."""
    listed = reads.select(write.spec, write.namespace, options)
    removed: list[Outcome] = []
    for namespace, name in listed:
        each = registry.writing(write.spec, namespace, name, write.user, write.dry_run)
        try:
            removed.append(registry.delete(each, options))
        except status.StatusError as error:
            if error.reason != "NotFound":
                raise
    return reads.listed(write.spec, removed)
