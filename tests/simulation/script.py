"""What happens to a simulated cluster, drawn from its seed before it starts: what people do, what breaks, and when.

    script = drawn(17)            a list of steps in the order of their times, the same for ever
    print(*script, sep="\\n")       what a failing seed is read from
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kcore.controllers.manager import CONTROLLERS
from tests.simulation.world import FLEETS, NODES_PER_FLEET, PARTS, RESTART_S_MIN, SERVER

LENGTH_S: Final = 40.0
"""How long a script is; what follows is calm."""

NODES: Final = tuple(f"{fleet.removeprefix('nodes-')}-{index}" for fleet in FLEETS for index in range(NODES_PER_FLEET))
VERBS: Final = ("create", "update", "delete", "patch", "list", "watch", "bulk", "get")
REFUSALS: Final = ("TooManyRequests", "ServiceUnavailable", "ServerTimeout", "InternalError")
LOSSES: Final = ("ServiceUnavailable", "Timeout")


class Step(NamedTuple):
    """Something that happens: a method of `tests.simulation.actor.Actor` and its arguments."""

    at_s: float
    what: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.at_s:8.3f} {self.what} {' '.join(map(str, self.arguments))}"


Draw = Callable[[random.Random], Iterator[Step]]


def drawn(seed: int) -> list[Step]:
    """The script of a seed."""
    chance = random.Random(f"{seed}/script")
    steps = [*_apps(chance)]
    for _ in range(chance.randrange(6, 14)):
        steps += _one_of(OPERATIONS, chance)
    for _ in range(chance.choice((0, 4, 8, 14))):
        steps += _one_of(FAULTS, chance)
    return sorted(steps, key=lambda step: step.at_s)


def _one_of(table: Mapping[Draw, int], chance: random.Random) -> Iterator[Step]:
    (draw,) = chance.choices(list(table), list(table.values()))
    return draw(chance)


def _when(chance: random.Random, end_s: float = LENGTH_S) -> float:
    return round(chance.random() * end_s, 3)


def _size(chance: random.Random) -> int:
    return chance.choice((0, 1, 2, 3, 3, 4, 5))


def _cpu(chance: random.Random) -> int:
    return chance.choice((50, 100, 200, 300, 450))


def _apps(chance: random.Random) -> Iterator[Step]:
    """What every script begins with: something to run."""
    for index in range(chance.randrange(1, 3)):
        unavailable = chance.choice((0, 1, 1, "25%"))
        surge = chance.choice((0, 1, 2, "50%")) if unavailable else 1
        yield Step(_when(chance, 3.0), "create_deployment", (f"d{index}", _size(chance), _cpu(chance), surge, unavailable))
        yield Step(_when(chance, 10.0), "create_service", (f"d{index}",))
    yield Step(_when(chance, 5.0), "create_replicaset", ("r0", _size(chance), _cpu(chance)))
    if "statefulset" in CONTROLLERS:
        yield Step(_when(chance, 5.0), "create_statefulset", ("s0", _size(chance), 50, chance.choice(("OrderedReady", "Parallel"))))
    if "job" in CONTROLLERS:
        yield Step(_when(chance, 5.0), "create_job", ("j0", chance.randrange(1, 5), chance.randrange(1, 4), chance.random() < 0.5))


# what people do


def _scale(chance: random.Random) -> Iterator[Step]:
    kinds = ["Deployment d0", "Deployment d1", "ReplicaSet r0", *(["StatefulSet s0"] if "statefulset" in CONTROLLERS else [])]
    yield Step(_when(chance), "scale", (*chance.choice(kinds).split(), _size(chance)))


def _scale_again(chance: random.Random) -> Iterator[Step]:
    """Change a size twice while the controllers see no pods."""
    kind, at_s = chance.choice(("Deployment d0", "ReplicaSet r0")).split(), _when(chance)
    yield Step(at_s, "hold_watches", ("controllers", "pods"))
    yield Step(at_s + 0.1, "scale", (*kind, chance.randrange(2, 5)))
    yield Step(at_s + 0.9, "scale", (*kind, chance.randrange(2, 5)))
    yield Step(at_s + 1.2 + _when(chance, 2.0), "release_watches", ("controllers",))


def _roll_out(chance: random.Random) -> Iterator[Step]:
    kinds = ["Deployment d0", "Deployment d0", "Deployment d1", *(["StatefulSet s0"] if "statefulset" in CONTROLLERS else [])]
    yield Step(_when(chance), "roll_out", (*chance.choice(kinds).split(), f"c:{chance.randrange(2, 5)}"))


def _delete_workload(chance: random.Random) -> Iterator[Step]:
    kind, name = chance.choice(("Deployment d0", "Deployment d1", "ReplicaSet r0")).split()
    at_s, policy = _when(chance), chance.choice(("Background", "Background", "Foreground", "Orphan"))
    yield Step(at_s, "delete", (kind, name, policy))
    if chance.random() < 0.6:
        create = ("create_replicaset", (name, _size(chance), _cpu(chance))) if kind == "ReplicaSet" else None
        yield Step(at_s + _when(chance, 8.0), *(create or ("create_deployment", (name, _size(chance), _cpu(chance), 1, 1))))


def _create_pod(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "create_pod", (f"p{chance.randrange(4)}", _cpu(chance)))


def _delete_pod(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "delete_pod", (chance.randrange(1000), chance.choice((None, None, 0))))


def _cordon(chance: random.Random) -> Iterator[Step]:
    node, at_s = chance.choice(NODES), _when(chance)
    yield Step(at_s, "cordon", (node, True))
    yield Step(at_s + _when(chance, 20.0), "cordon", (node, False))


def _taint(chance: random.Random) -> Iterator[Step]:
    node, at_s, effect = chance.choice(NODES), _when(chance), chance.choice(("NoSchedule", "NoExecute"))
    yield Step(at_s, "taint", (node, effect, True))
    yield Step(at_s + _when(chance, 20.0), "taint", (node, effect, False))


def _delete_node(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "delete_node", (chance.choice(NODES),))


def _fill(chance: random.Random) -> Iterator[Step]:
    """Ask for more pods than fit, and take that back."""
    at_s = _when(chance, 25.0)
    yield Step(at_s, "create_replicaset", ("f0", chance.randrange(6, 16), chance.choice((100, 300, 450))))
    yield Step(at_s + 2.0 + _when(chance, 10.0), "scale", ("ReplicaSet", "f0", chance.randrange(0, 8)))


OPERATIONS: Final[dict[Draw, int]] = {
    _scale: 8, _scale_again: 3, _roll_out: 6, _delete_workload: 4, _create_pod: 4, _delete_pod: 5, _cordon: 2, _taint: 2,
    _delete_node: 1, _fill: 3,
}  # fmt: skip


# what breaks


def _restart(chance: random.Random) -> Iterator[Step]:
    part, at_s = chance.choice((*PARTS, "controllers", "scheduler")), _when(chance)
    yield Step(at_s, "kill", (part,))
    yield Step(at_s + RESTART_S_MIN + _when(chance, 4.0), "revive", (part,))


def _restart_server(chance: random.Random) -> Iterator[Step]:
    at_s = _when(chance)
    yield Step(at_s, "kill", (SERVER,))
    yield Step(at_s + _when(chance, 6.0), "revive", (SERVER,))


def _lose_fleet(chance: random.Random) -> Iterator[Step]:
    fleet, at_s = chance.choice(FLEETS), _when(chance)
    yield Step(at_s, "kill", (fleet,))
    yield Step(at_s + 60.0 + _when(chance, 60.0), "revive", (fleet,))


def _cut_watches(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "cut_watches", (chance.choice(PARTS), chance.choice(("", "ServiceUnavailable", "Expired"))))


def _hold_watches(chance: random.Random) -> Iterator[Step]:
    part, at_s = chance.choice((*PARTS, "controllers", "controllers")), _when(chance)
    yield Step(at_s, "hold_watches", (part, chance.choice(("*", "pods", "replicasets", "nodes"))))
    yield Step(at_s + 0.2 + _when(chance, 4.0), "release_watches", (part,))


def _refuse(chance: random.Random) -> Iterator[Step]:
    what = (chance.choice(PARTS), chance.choice(VERBS), chance.choice(REFUSALS), chance.randrange(1, 5))
    yield Step(_when(chance), "refuse", what)


def _meddle(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "meddle", (chance.choice(("Pod", "ReplicaSet", "Deployment", "Node")), chance.randrange(1, 4)))


def _lose_answers(chance: random.Random) -> Iterator[Step]:
    part, verb = chance.choice(("scheduler", "controllers", *FLEETS)), chance.choice(("create", "update", "delete", "patch", "bulk"))
    what = (part, verb, chance.choice(LOSSES))
    yield Step(_when(chance), "lose_answers", (*what, chance.randrange(1, 4)))


def _refuse_bindings(chance: random.Random) -> Iterator[Step]:
    what = ("scheduler", chance.choice(("bulk", "create")), chance.choice(REFUSALS), chance.randrange(1, 6))
    yield Step(_when(chance, 20.0), "refuse", what)


def _slow(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "slow", (chance.choice(PARTS), chance.choice(VERBS), round(chance.random() * 3.0, 3), chance.randrange(1, 6)))


def _jump(chance: random.Random) -> Iterator[Step]:
    clock = chance.choice((*PARTS, SERVER))
    yield Step(_when(chance), "jump", (clock, chance.choice((-3600.0, -30.0, -1.5, 1.5, 30.0, 3600.0))))


def _compact(chance: random.Random) -> Iterator[Step]:
    yield Step(_when(chance), "compact", ())


FAULTS: Final[dict[Draw, int]] = {
    _restart: 6, _restart_server: 2, _lose_fleet: 1, _cut_watches: 4, _hold_watches: 6, _refuse: 6, _meddle: 3, _lose_answers: 5,
    _slow: 3, _refuse_bindings: 4, _jump: 2, _compact: 2,
}  # fmt: skip
