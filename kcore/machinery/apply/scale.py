"""The owners of a workload's replicas, as the Scale of it has them.

A Scale is another kind in another version: who owns the replicas of the workload owns them there, and the other way round.
Source: apimachinery `pkg/util/managedfields/scalehandler.go`.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.apply import fieldset, managers
from kcore.machinery.apply.managers import APPLY, Entry, Managed, ManagerKey

API_VERSION: Final = "autoscaling/v1"
PATH: Final = ("f:spec", "f:replicas")
REPLICAS: Final = fieldset.of_paths(PATH)


def to_scale(entries: list[Entry] | None) -> list[Entry]:
    """The entries of a Scale, from those of its workload."""
    owners = {
        _in_version(key, API_VERSION): Managed(REPLICAS, API_VERSION, managed.time)
        for key, managed in managers.stored(entries).items()
        if fieldset.has(managed.fields, PATH)
    }
    return managers.entries_of(owners)


def to_workload(before: list[Entry] | None, scale: list[Entry], api_version: str) -> list[Entry]:
    """The entries of a workload, from those it had and those of its Scale; who gains the replicas there does so without a time."""
    owners = {_in_version(key, api_version) for key, managed in managers.stored(scale).items() if fieldset.has(managed.fields, PATH)}
    found = managers.stored(before)
    for key, managed in list(found.items()):
        if key in owners or not fieldset.has(managed.fields, PATH):
            continue
        left = fieldset.difference(managed.fields, REPLICAS)
        if left:
            found[key] = Managed(left, managed.api_version, managed.time)
        else:
            del found[key]
    for key in owners:
        mine = found.get(key)
        if mine is None:
            found[key] = Managed(REPLICAS, api_version, None)
        elif not fieldset.has(mine.fields, PATH):
            found[key] = Managed(fieldset.union(mine.fields, REPLICAS), mine.api_version, mine.time)
    return managers.entries_of(found)


def _in_version(key: ManagerKey, api_version: str) -> ManagerKey:
    return key if key.operation == APPLY else key._replace(api_version=api_version)
