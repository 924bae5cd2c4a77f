"""What claims find on one node, the slow way: over all volumes, one node and one claim at a time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kcore.scheduler.labels import term_matches
from kcore.scheduler.rows import Expression, NodeRow, Term
from kcore.scheduler.volumes.rows import NO_PROVISIONER, Claim, Class, Driver, Room, Volume

NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
NO_ROOM = "node(s) did not have enough free storage"


class World(NamedTuple):
    volumes: Sequence[Volume]
    classes: Mapping[str, Class]
    drivers: Mapping[str, Driver]
    rooms: Sequence[Room]


def look(claims: Sequence[Claim], node: NodeRow, world: World) -> tuple[str, int]:
    """Return the reason why a node cannot have the claims, and the score if it can."""
    chosen: dict[str, Volume] = {}
    pairs: list[tuple[Claim, Volume]] = []
    missing = [claim for claim in claims if claim.selected]
    if any(claim.selected != node.name for claim in missing):
        return NO_VOLUME, 0
    for claim in sorted((claim for claim in claims if not claim.selected), key=lambda claim: claim.request_bytes):
        found = match(claim, node, [volume for volume in world.volumes if volume.name not in chosen])
        if found is None:
            missing.append(claim)
        else:
            chosen[found.name] = found
            pairs.append((claim, found))
    takes: list[tuple[Claim, int]] = []
    for claim in missing:
        problem, room = supply(claim, node, world)
        if problem:
            return problem, 0
        if room is not None:
            takes.append((claim, room))
    return "", score(pairs, takes)


def match(claim: Claim, node: NodeRow, volumes: Sequence[Volume]) -> Volume | None:
    def is_reachable(volume: Volume) -> bool:
        return volume.affinity is None or any(term_matches(term, node) for term in volume.affinity)

    fitting = [
        volume
        for volume in volumes
        if volume.class_name == claim.class_name
        and volume.capacity_bytes >= claim.request_bytes
        and volume.volume_mode == claim.volume_mode
        and not volume.terminating
    ]
    for volume in sorted(fitting, key=lambda volume: volume.name):
        if volume.claim == claim.key and volume.claim_uid in ("", claim.uid):
            return volume if is_reachable(volume) else None
    free = [
        volume
        for volume in fitting
        if volume.free
        and not volume.claim
        and set(claim.access_modes) <= set(volume.access_modes)
        and (claim.selector is None or claim.selector.matches(dict(volume.labels)))
        and is_reachable(volume)
    ]
    return min(free, key=lambda volume: volume.capacity_bytes, default=None)


def supply(claim: Claim, node: NodeRow, world: World) -> tuple[str, int | None]:
    class_ = world.classes.get(claim.class_name)
    if class_ is None or class_.provisioner == NO_PROVISIONER:
        return NO_VOLUME, None
    if class_.topologies and not any(term_matches(term, node) for term in class_.topologies):
        return NO_VOLUME, None
    driver = world.drivers.get(class_.provisioner)
    if driver is None or not driver.capacity:
        return "", None
    for room in sorted(world.rooms, key=lambda room: room.key):
        is_large_enough = room.limit_bytes is not None and room.limit_bytes >= claim.request_bytes
        if room.class_name == claim.class_name and is_large_enough and is_offered(room.nodes, node):
            return "", room.capacity_bytes or 0
    return NO_ROOM, None


def is_offered(nodes: tuple[Expression, ...] | None, node: NodeRow) -> bool:
    return nodes is not None and (not nodes or term_matches(Term(nodes, ()), node))


def score(pairs: Sequence[tuple[Claim, Volume]], takes: Sequence[tuple[Claim, int]]) -> int:
    sums: dict[str, list[int]] = {}
    for claim, volume in pairs:
        sums.setdefault(claim.class_name, [0, 0])
        sums[claim.class_name][0] += claim.request_bytes
        sums[claim.class_name][1] += volume.capacity_bytes
    for claim, room in () if pairs else takes:
        sums.setdefault(claim.class_name, [0, 0])
        sums[claim.class_name][0] += claim.request_bytes
        sums[claim.class_name][1] = room
    scores = [0 if not capacity or asked > capacity else 100 - asked * 100 // capacity for asked, capacity in sums.values()]
    return int(sum(scores) / len(scores) + 0.5) if scores else 0
