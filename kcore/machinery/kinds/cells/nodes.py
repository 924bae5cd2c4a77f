"""Cells of nodes.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.cells.forms import NONE, UNKNOWN, Cell, Cells, Object, at, joined, part, plain

ROLE_PREFIX: Final = "node-role.kubernetes.io/"


def node_status(obj: Object) -> str:
    """Ready, NotReady or Unknown, and whether it takes pods."""
    ready = next((c for c in (obj.get("status") or {}).get("conditions") or () if c.get("type") == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return word + (",SchedulingDisabled" if (obj.get("spec") or {}).get("unschedulable") else "")


def node_roles(obj: Object) -> str:
    """Roles, from labels."""
    found = set()
    for name, value in (obj["metadata"].get("labels") or {}).items():
        if name.startswith(ROLE_PREFIX) and len(name) > len(ROLE_PREFIX):
            found.add(name[len(ROLE_PREFIX) :])
        elif name == "kubernetes.io/role" and value:
            found.add(value)
    return joined(sorted(found))


def node_address(kind: str) -> Cell:
    """The first address of a kind."""
    return lambda obj, _now: next((each["address"] for each in part(obj, "status.addresses") or () if each.get("type") == kind), NONE)


def kernel(obj: Object) -> str:
    """`6.1 (amd64)`."""
    version, architecture = (part(obj, f"status.nodeInfo.{name}") for name in ("kernelVersion", "architecture"))
    return f"{version} ({architecture})" if version and architecture else version or UNKNOWN


CELLS: Final[Cells] = {
    ("", "Node", "Status"): plain(node_status),
    ("", "Node", "Roles"): plain(node_roles),
    ("", "Node", "Version"): at("status.nodeInfo.kubeletVersion", ""),
    ("", "Node", "Internal-IP"): node_address("InternalIP"),
    ("", "Node", "External-IP"): node_address("ExternalIP"),
    ("", "Node", "OS-Image"): at("status.nodeInfo.osImage", UNKNOWN),
    ("", "Node", "Kernel-Version"): plain(kernel),
    ("", "Node", "Container-Runtime"): at("status.nodeInfo.containerRuntimeVersion", UNKNOWN),
}
