"""What a pod says of its volumes, and what that means: values that are part of its ask.

Source: core/v1 Volume; which of them matter is kube-scheduler's choice (VolumeRestrictions, NodeVolumeLimits, VolumeBinding, VolumeZone).
"""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kcore.machinery.labels import Selector
    from kcore.scheduler.volumes.rows import Reach


class ClaimUse(NamedTuple):
    """A claim that a pod uses.

    key    namespace/name
    owner  for a claim made from the pod's own template, the uid of the pod that must own it; else ""
    """

    key: str
    owner: str = ""


class Disk(NamedTuple):
    """A disk named in the pod itself, that pods of one node cannot have at the same time.

    shared  the pod only reads it, and so goes with others that only read
    """

    identity: tuple[str, ...]
    shared: bool


class PodVolumes(NamedTuple):
    """All of a pod's volumes that matter; attached: (driver, handle) of disks that it names itself, as drivers attach them."""

    claims: tuple[ClaimUse, ...] = ()
    disks: tuple[Disk, ...] = ()
    attached: tuple[tuple[str, str], ...] = ()


class Wanted(NamedTuple):
    """What an unbound claim wants of a volume.

    request_bytes  at least so much
    selector       which labels the volume must have; None: any
    reserved       the volume that names the claim already, or ""
    selected       the node that was chosen for it already, or ""
    """

    class_name: str
    request_bytes: int
    access_modes: tuple[str, ...] = ()
    volume_mode: str = "Filesystem"
    attributes_class: str = ""
    selector: Selector | None = None
    reserved: str = ""
    selected: str = ""


class Needs(NamedTuple):
    """What a pod's volumes ask of a node, looked up in the catalog.

    disks        see PodVolumes
    exclusive    claims that only one pod at a time may use; conflicts: how many of them another pod uses now, users: how many pods do
    attached     (driver, how many volumes of it)
    handles      (driver, handle) of those of them that some node has attached already
    required     (driver that a node must have, whether it attaches just volumes that name disks of old)
    affinities   from where each bound volume can be reached, if not from everywhere
    zones        (label, values) of bound volumes: a node with any such label must have one of the values
    lost         a bound volume is not there
    wanted       the claims to bind, the smallest first
    versions     counts changes of what else the verdict rests on
    """

    disks: tuple[Disk, ...] = ()
    exclusive: tuple[str, ...] = ()
    conflicts: int = 0
    users: int = 0
    attached: tuple[tuple[str, int], ...] = ()
    handles: tuple[tuple[str, str], ...] = ()
    required: tuple[tuple[str, bool], ...] = ()
    affinities: tuple[Reach, ...] = ()
    zones: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lost: bool = False
    wanted: tuple[Wanted, ...] = ()
    versions: tuple[int, ...] = ()
