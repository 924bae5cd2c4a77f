"""A pod's volumes, from its bytes.

Source: core/v1 Volume.
"""
from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from kcore.base.limits import SCHEDULER_TEMPLATES_MAX
from kcore.machinery.projection import Projection
from kcore.scheduler.volumes.asks import ClaimUse, Disk, PodVolumes
from kcore.scheduler.volumes.migration import Sources, migrated

_VOLUMES: Final = Projection(
    "kcore.api.core.v1.Pod",
    (
        "spec.volumes[].name",
        "spec.volumes[].persistentVolumeClaim@present",
        "spec.volumes[].persistentVolumeClaim.claimName",
        "spec.volumes[].ephemeral@present",
        "spec.volumes[].gcePersistentDisk.pdName",
        "spec.volumes[].gcePersistentDisk.readOnly",
        "spec.volumes[].awsElasticBlockStore.volumeID",
        "spec.volumes[].iscsi.iqn",
        "spec.volumes[].iscsi.readOnly",
        "spec.volumes[].rbd.monitors",
        "spec.volumes[].rbd.pool",
        "spec.volumes[].rbd.image",
        "spec.volumes[].rbd.readOnly",
        "spec.volumes[].azureDisk.diskURI",
        "spec.volumes[].azureDisk.kind",
        "spec.volumes[].cinder.volumeID",
        "spec.volumes[].portworxVolume.volumeID",
    ),
)


@lru_cache(SCHEDULER_TEMPLATES_MAX)
def has_volumes(*columns: tuple[Any, ...]) -> bool:
    """Say whether any volume is of a source that matters; a column has a value for each volume, empty where it is of another source."""
    return any(map(any, columns))


def pod_volumes(raw: bytes, namespace: str, name: str, uid: str) -> PodVolumes:
    """Read the volumes of a Pod.

    Raises  DecodeError
    """
    claims: list[ClaimUse] = []
    disks: list[Disk] = []
    attached: list[tuple[str, str]] = []
    for volume_name, has_claim, claim_name, ephemeral, *sources in zip(*_VOLUMES(raw), strict=True):
        if has_claim:
            claims.append(ClaimUse(f"{namespace}/{claim_name}"))
        elif ephemeral:
            claims.append(ClaimUse(f"{namespace}/{name}-{volume_name}", owner=uid or name))
        else:
            gce, _, ebs, *others = sources
            disks += _disks(*sources[:9])
            disk = migrated(Sources(gce, ebs, *others[6:]), {})
            attached += [(disk.plugin.driver, disk.handle)] if disk is not None else []
    return PodVolumes(tuple(claims), tuple(disks), tuple(attached))


def _disks(
    gce: str, gce_shared: bool, ebs: str, iqn: str, iqn_shared: bool, monitors: tuple[str, ...], pool: str, image: str, rbd_shared: bool
) -> Iterator[Disk]:
    """Yield what a volume names; an RBD image once for each monitor, since one in common is enough to collide."""
    if gce:
        yield Disk(("gce", gce), gce_shared)
    if ebs:
        yield Disk(("ebs", ebs), False)
    if iqn:
        yield Disk(("iscsi", iqn), iqn_shared)
    for monitor in monitors:
        yield Disk(("rbd", monitor, pool, image), rbd_shared)
