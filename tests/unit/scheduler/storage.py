"""Claims, volumes and what else decides about them, for tests: as rows, and pods that use them."""

from typing import Any

from kcore.scheduler.rows import Expression, PodRow, Term
from kcore.scheduler.volumes.asks import ClaimUse, Disk, PodVolumes
from kcore.scheduler.volumes.rows import Claim, Class, Volume
from tests.unit.scheduler.pods import SMALL, pod

GIB = 1 << 30
WAITS = Class("local", "kubernetes.io/no-provisioner", True)
MADE = Class("made", "example.com/maker", True)
AT_ONCE = Class("at-once", "example.com/maker", False)


def claim(name: str, class_name: str = "local", size: int = 1, **more: Any) -> Claim:
    return Claim(f"default/{name}", f"uid-{name}", class_name, size * GIB, ("ReadWriteOnce",), **more)


def volume(name: str, class_name: str = "local", size: int = 1, at: tuple[str, ...] = (), **more: Any) -> Volume:
    affinity = (Term((Expression("host", "In", at),), ()),) if at else None
    return Volume(name, (), class_name, size * GIB, ("ReadWriteOnce",), affinity=affinity, **more)


def bound(name: str, to: str, class_name: str = "local", **more: Any) -> Claim:
    return claim(name, class_name, volume_name=to, complete=True, **more)


def using(name: str, *claims: str, disks: tuple[Disk, ...] = (), **more: Any) -> PodRow:
    volumes = PodVolumes(tuple(ClaimUse(f"default/{each}") for each in claims), disks)
    row = pod(name, SMALL._replace(volumes=volumes), **more)
    return row._replace(account=row.account._replace(volumes=volumes))
