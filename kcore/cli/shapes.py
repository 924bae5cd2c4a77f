"""Files of node shapes: groups of equal hollow nodes, held to the rules of the API before anything starts.

    - count: 4
      capacity: {cpu: 96, memory: 384Gi, example.com/gpu: 8}
      labels: {example.com/gpu-model: A10}
      taints: [{key: example.com/gpu, effect: NoSchedule}]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import yaml

from kcore.base import limits
from kcore.cli.manifests import Loader
from kcore.machinery import codec
from kcore.machinery.kinds import rules, rules_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcore.agent.settings import NodeShape

NODE: Final = "kcore.api.core.v1.Node"
FIELDS: Final = frozenset(("count", "capacity", "labels", "taints"))


def read(path: Path) -> tuple[NodeShape, ...]:
    """The shapes of a file. Raises ClickException with a sentence."""
    from kcore.agent.settings import NodeShape

    return tuple(NodeShape(**group) for group in groups(path))


def total(shapes: Sequence[NodeShape]) -> int:
    """How many nodes they are."""
    return sum(shape.count for shape in shapes)


def groups(path: Path) -> list[dict[str, Any]]:
    """The groups of a file, as the arguments of NodeShape. Raises ClickException with a sentence."""
    try:
        found = yaml.load(path.read_text(), Loader=Loader)
        return checked(found)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise click.ClickException(f"{path}: {' '.join(str(error).split())}") from error


def checked(found: object) -> list[dict[str, Any]]:
    """Groups that the API will take. Raises ValueError."""
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise ValueError("it holds no list of groups of nodes")
    made = [group(each, index) for index, each in enumerate(found)]
    count = sum(each["count"] for each in made)
    if count > limits.HOLLOW_NODES_MAX:
        raise ValueError(f"these are {count} nodes, more than {limits.HOLLOW_NODES_MAX}")
    return made


def group(found: dict[str, Any], index: int) -> dict[str, Any]:
    """One group, its values as a Node would hold them. Raises ValueError."""
    unknown = sorted(str(name) for name in found if name not in FIELDS)
    if unknown:
        raise ValueError(f"[{index}]: {unknown[0]} is none of {', '.join(sorted(FIELDS))}")
    count = found.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError(f"[{index}].count: it has to be a number from 1 on")
    node = {"metadata": {"name": "shape", "labels": found.get("labels")}, "spec": {"taints": found.get("taints")}}
    node["status"] = {"capacity": found.get("capacity")}
    strange: list[str] = []
    try:
        obj = codec.normalise(NODE, node, strange)
    except codec.DecodeError as error:
        raise ValueError(f"[{index}]: {error}") from error
    strange += [f"{error.field}: {error.body}" for error in rules.check_create(rules_of("", "Node", NODE), obj, namespaced=False)]
    if strange:
        raise ValueError(f"[{index}]: {strange[0]}")
    taints = (obj.get("spec") or {}).get("taints") or []
    capacity = (obj.get("status") or {}).get("capacity") or {}
    return {"count": count, "capacity": capacity, "labels": obj["metadata"].get("labels") or {}, "taints": taints}
