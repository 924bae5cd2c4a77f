"""A pod's volumes looked up in the catalog: what they need of a node, or why the pod has to wait whatever the node.

What is checked, in this order, and words of refusals are those of the PreFilter steps of four plugins: VolumeRestrictions (claims exist),
VolumeBinding (claims can be used, and those that do not wait for a consumer are bound), VolumeZone (bound volumes exist).

Source: kube-scheduler 1.37, PreFilter of these plugins.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from kcore.scheduler.volumes.asks import ClaimUse, Needs, PodVolumes, Wanted
from kcore.scheduler.volumes.catalog import Catalog
from kcore.scheduler.volumes.rows import EXCLUSIVE, Claim, Reach, Volume
from kcore.scheduler.volumes.usage import Handle, Usage

ZONE_LABELS: Final = (
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
ZONE_SEPARATOR: Final = "__"


class Refusal(NamedTuple):
    """Why a pod has to wait, and the plugin that says so."""

    plugin: str
    message: str


def needs_of(pod: str, volumes: PodVolumes, catalog: Catalog, usage: Usage) -> Needs | Refusal:
    """Look up a pod's volumes; pod is its namespace/name."""
    refusal = _missing(volumes, catalog) or _unusable(pod, volumes, catalog)
    if refusal is not None:
        return refusal
    claims = [claim for use in volumes.claims if (claim := catalog.claim(use.key)) is not None]
    bound = {claim.volume_name: catalog.volume(claim.volume_name) for claim in claims if claim.bound}
    given = [claim for use, claim in zip(volumes.claims, claims, strict=True) if not use.owner]
    gone = next((claim.volume_name for claim in given if claim.bound and bound[claim.volume_name] is None), "")
    if gone:
        return Refusal("VolumeZone", f'persistentvolume "{gone}" not found')
    exclusive = tuple(claim.key for claim in given if EXCLUSIVE in claim.access_modes)
    handles = _handles(volumes, claims, catalog)
    required = _required(volumes, claims, catalog)
    wanted = tuple(wanted_of(claim, catalog) for claim in to_bind(volumes, catalog))
    versions = _versions(wanted, catalog) if wanted else ()
    affinities = _reaches(bound.values())
    return Needs(
        disks=volumes.disks,
        exclusive=exclusive,
        conflicts=sum(key in usage.claims for key in exclusive),
        users=users_of(exclusive, usage),
        attached=tuple(sorted(Counter(driver for driver, _ in handles).items())),
        handles=tuple(sorted(handle for handle in handles if handle in usage.handles)),
        required=required,
        affinities=affinities,
        zones=_zones(given, bound),
        lost=None in bound.values(),
        wanted=wanted,
        versions=(*versions, catalog.limits_version) if handles or required or any(reach.plugin for reach in affinities) else versions,
    )


def _handles(volumes: PodVolumes, claims: Iterable[Claim], catalog: Catalog) -> set[Handle]:
    """Return what has to be attached of drivers that have limits anywhere."""
    found = (*volumes.attached, *(catalog.handle_of(claim.key) for claim in claims))
    return {handle for handle in found if handle is not None and handle[0] in catalog.limited}


def _required(volumes: PodVolumes, claims: Iterable[Claim], catalog: Catalog) -> tuple[tuple[str, bool], ...]:
    """Return the drivers that a node must have, and whether each attaches just disks of old."""
    of_old = dict.fromkeys((driver for driver, _ in volumes.attached), True)
    for claim in claims:
        handle = catalog.handle_of(claim.key)
        if handle is not None:
            of_old[handle[0]] = of_old.get(handle[0], True) and catalog.is_of_old(claim.key)
    drivers = ((driver, old) for driver, old in sorted(of_old.items()))
    return tuple((name, old) for name, old in drivers if (driver := catalog.drivers.get(name)) is not None and driver.required)


def _reaches(volumes: Iterable[Volume | None]) -> tuple[Reach, ...]:
    found = dict.fromkeys(volume.reach for volume in volumes if volume is not None)
    return tuple(reach for reach in found if reach.terms is not None or reach.plugin)


def users_of(claims: Iterable[str], usage: Usage) -> int:
    """Count the pods that use claims, one that uses several for each."""
    return sum(sum(usage.claims.get(key, {}).values()) for key in claims)


def to_bind(volumes: PodVolumes, catalog: Catalog) -> list[Claim]:
    """Return the claims that are not bound yet, in the order in which they choose: those with a node first, then the smallest ones."""
    claims = [claim for use in volumes.claims if (claim := catalog.claim(use.key)) is not None and not claim.bound]
    return sorted(dict.fromkeys(claims), key=lambda claim: (0, 0) if claim.selected else (1, claim.request_bytes))


def wanted_of(claim: Claim, catalog: Catalog) -> Wanted:
    """Return what an unbound claim wants."""
    reserved = next((volume.name for volume in catalog.volumes_of(claim) if _serves(volume, claim)), "")
    return Wanted(
        claim.class_name,
        claim.request_bytes,
        claim.access_modes,
        claim.volume_mode,
        claim.attributes_class,
        claim.selector,
        reserved,
        claim.selected,
    )


def _missing(volumes: PodVolumes, catalog: Catalog) -> Refusal | None:
    for use in volumes.claims:
        if not use.owner and catalog.claim(use.key) is None:
            return Refusal("VolumeRestrictions", f'persistentvolumeclaim "{_name(use.key)}" not found')
    return None


def _unusable(pod: str, volumes: PodVolumes, catalog: Catalog) -> Refusal | None:
    immediate = False
    for use in volumes.claims:
        claim = catalog.claim(use.key)
        problem = _problem(pod, use, claim)
        if problem:
            return Refusal("VolumeBinding", problem)
        if claim is not None and not claim.bound:
            class_ = catalog.classes.get(claim.class_name)
            immediate |= class_ is None or not class_.waits or bool(claim.volume_name)
    return Refusal("VolumeBinding", "pod has unbound immediate PersistentVolumeClaims") if immediate else None


def _problem(pod: str, use: ClaimUse, claim: Claim | None) -> str:
    name = _name(use.key)
    if claim is None:
        return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
    if claim.lost:
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.volume_name}"'
    if claim.terminating:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if use.owner and use.owner != claim.owner:
        return f"PVC {use.key} was not created for pod {pod} (pod is not owner)"
    return ""


def _serves(volume: Volume, claim: Claim) -> bool:
    """Say whether a volume that names a claim can be bound to it, wherever it is."""
    return (
        volume.class_name == claim.class_name
        and volume.capacity_bytes >= claim.request_bytes
        and volume.volume_mode == claim.volume_mode
        and volume.attributes_class == claim.attributes_class
        and not volume.terminating
    )


def _zones(claims: Iterable[Claim], bound: dict[str, Volume | None]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    volumes = [bound.get(claim.volume_name) for claim in claims if claim.bound]
    labels = [(key, value) for volume in volumes if volume is not None for key, value in volume.labels if key in ZONE_LABELS]
    sets = {(key, tuple(sorted(set(value.split(ZONE_SEPARATOR))))) for key, value in labels}
    return tuple(sorted((key, values) for key, values in sets if "" not in values))


def _versions(wanted: tuple[Wanted, ...], catalog: Catalog) -> tuple[int, ...]:
    counts = Counter(each.class_name for each in wanted)
    pools = ((catalog.pools.get(class_name), count) for class_name, count in counts.items())
    return (*(pool.version(count) if pool else 0 for pool, count in pools), catalog.supply_version)


def _name(key: str) -> str:
    return key.partition("/")[2]
