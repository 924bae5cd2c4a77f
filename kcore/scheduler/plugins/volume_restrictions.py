"""VolumeRestrictions: pods of a node cannot share certain disks, and a claim of mode ReadWriteOncePod is for one pod alone.

Source: kube-scheduler VolumeRestrictions.
"""
from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from kcore.scheduler.columns import Columns, Int64
from kcore.scheduler.events import ClusterEvent, NodeChanged, PodGone
from kcore.scheduler.rows import Ask
from kcore.scheduler.volumes.asks import Disk, PodVolumes
from kcore.scheduler.volumes.catalog import StorageChanged
from kcore.scheduler.volumes.needs import users_of
from kcore.scheduler.volumes.rows import Claim

DISK_TAKEN: Final = 1
CLAIM_IN_USE: Final = 2


class VolumeRestrictions:
    """Reject nodes with a pod that uses the same disk, and all nodes while another pod uses the claim."""

    name: Final = "VolumeRestrictions"
    hears: Final = (NodeChanged, PodGone, StorageChanged)

    def reads(self, ask: Ask) -> Hashable:
        """Return disks and claims that are exclusive."""
        needs = ask.needs
        return (needs.disks, needs.exclusive, needs.conflicts, needs.users) if needs and (needs.disks or needs.conflicts) else None

    def codes(self, ask: Ask, columns: Columns, start: int, stop: int, out: Int64) -> None:
        """Write 2 everywhere while a claim is in use, 1 where a disk is taken.

        A claim that wrongly has several users counts as free, as upstream, when one of them is taken away on trial.
        """
        needs = ask.needs
        assert needs is not None, "reads was None"
        gone = needs.users - users_of(needs.exclusive, columns.usage)
        out[start:stop] = CLAIM_IN_USE if needs.conflicts > gone else 0
        for users in _colliding(needs.disks, columns):
            out[[slot for slot in users if start <= slot < stop]] = DISK_TAKEN

    def reasons(self, ask: Ask) -> tuple[str, ...]:
        """Return the reason of each bit."""
        return (
            "node(s) had no available disk",
            "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
        )

    def wakes(self, event: ClusterEvent, ask: Ask) -> bool:
        """A new node helps, the end of a pod that used the disk or the claim, or a claim that comes."""
        volumes = ask.volumes or PodVolumes()
        if isinstance(event, PodGone):
            held = event.account.volumes or PodVolumes()
            if any(collide(disk, other) for disk in volumes.disks for other in held.disks):
                return True
            return not {use.key for use in volumes.claims}.isdisjoint(use.key for use in held.claims)
        if isinstance(event, StorageChanged):
            return isinstance(event.new, Claim) and event.old is None and event.new.key in {use.key for use in volumes.claims}
        return isinstance(event, NodeChanged) and event.old is None


def collide(left: Disk, right: Disk) -> bool:
    """Say whether two pods of a node cannot have these disks."""
    return left.identity == right.identity and not (left.shared and right.shared)


def _colliding(disks: tuple[Disk, ...], columns: Columns) -> Iterator[dict[int, int]]:
    for disk in disks:
        for shared in (False,) if disk.shared else (False, True):
            yield columns.usage.disks.get(Disk(disk.identity, shared), {})
