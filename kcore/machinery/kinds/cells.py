"""Table cells that no JSON path gives. Each is a function of the object and the time; the table below names its column.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, observed tables of 1.37.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from kcore.machinery import labels, timestamp

Object = dict[str, Any]
Cell = Callable[[Object], Any]
TimedCell = Callable[[Object, float], Any]
NONE: Final = "<none>"
ROLE_PREFIX: Final = "node-role.kubernetes.io/"
ENDPOINTS_SHOWN: Final = 3


def cell(group: str, kind: str, column: str, obj: Object, now: float) -> Any:
    """The cell of a computed column; `<none>` for one that nobody computes."""
    timed = TIMED.get((group, kind, column))
    if timed is not None:
        return timed(obj, now)
    found = CELLS.get((group, kind, column)) or ANY_KIND.get(column)
    return NONE if found is None else found(obj)


def joined(values: Iterable[str]) -> str:
    """Comma-separated, `<none>` for nothing."""
    return ",".join(values) or NONE


def template(obj: Object) -> list[Object]:
    """The containers of a workload's pods."""
    found: list[Object] = (((obj.get("spec") or {}).get("template") or obj.get("template") or {}).get("spec") or {}).get("containers") or []
    return found


def selector(obj: Object) -> str:
    """A selector of labels, or a plain map of them."""
    found = (obj.get("spec") or {}).get("selector")
    if not found:
        return NONE
    return str(labels.from_message(found) if "matchLabels" in found or "matchExpressions" in found else labels.from_labels(found))


# pods


def pod_ready(obj: Object) -> str:
    """Ready containers of all."""
    sidecars = [each for each in (obj.get("spec") or {}).get("initContainers") or () if each.get("restartPolicy") == "Always"]
    total = len((obj.get("spec") or {}).get("containers") or ()) + len(sidecars)
    status = obj.get("status") or {}
    names = {each["name"] for each in sidecars}
    ready = sum(bool(each.get("ready")) for each in status.get("containerStatuses") or ())
    ready += sum(bool(each.get("ready")) for each in status.get("initContainerStatuses") or () if each.get("name") in names)
    return f"{ready}/{total}"


def pod_status(obj: Object) -> str:
    """The word that says most about a pod: why a container waits or ended, else its phase."""
    status = obj.get("status") or {}
    reason: str = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing = init_reason(obj)
    if initializing:
        reason = initializing
    else:
        reason = container_reason(status, reason)
    if obj["metadata"].get("deletionTimestamp"):
        return (
            "Unknown" if status.get("reason") == "NodeLost" else reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"
        )
    return reason


def container_reason(status: Object, reason: str) -> str:
    """Why the last container that does not run does not."""
    has_running = False
    for each in reversed(status.get("containerStatuses") or ()):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = end_reason(ended)
        elif each.get("ready") and state.get("running") is not None:
            has_running = True
    if reason == "Completed" and has_running:
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())
        return "Running" if ready else "NotReady"
    return reason


def end_reason(ended: Object) -> str:
    """Why a container ended."""
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def init_reason(obj: Object) -> str:
    """What the first init container that is not done says; '' if all are."""
    declared = (obj.get("spec") or {}).get("initContainers") or ()
    sidecars = {each["name"] for each in declared if each.get("restartPolicy") == "Always"}
    for index, each in enumerate((obj.get("status") or {}).get("initContainerStatuses") or ()):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and not ended.get("exitCode"):
            continue
        if each.get("name") in sidecars and each.get("started"):
            continue
        if ended is not None:
            return f"Init:{end_reason(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(declared)}"
    return ""


def pod_restarts(obj: Object, now: float) -> str:
    """Restarts of all containers, and how long ago the last one was."""
    count, last = 0, 0.0
    for each in (obj.get("status") or {}).get("containerStatuses") or ():
        count += each.get("restartCount", 0)
        finished = ((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
        if finished:
            last = max(last, timestamp.parse_time(finished))
    if not count or not last:
        return str(count)
    from kcore.machinery.table import duration

    return f"{count} ({duration(now - last)} ago)"


def pod_gates(obj: Object) -> str:
    """Readiness gates that hold, of all."""
    gates = (obj.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    true = {c["type"] for c in (obj.get("status") or {}).get("conditions") or () if c.get("status") == "True"}
    return f"{sum(gate.get('conditionType') in true for gate in gates)}/{len(gates)}"


# nodes


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
    return lambda obj: next((a["address"] for a in (obj.get("status") or {}).get("addresses") or () if a.get("type") == kind), NONE)


# services and endpoints


def service_ports(obj: Object) -> str:
    """`80:30080/TCP`."""
    ports = (obj.get("spec") or {}).get("ports") or ()
    return joined(f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}" for p in ports)


def service_external(obj: Object) -> str:
    """Addresses under which a Service is reached from outside."""
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or NONE
    given = list(spec.get("externalIPs") or ())
    if spec.get("type") == "LoadBalancer":
        ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        given = [each.get("ip") or each.get("hostname", "") for each in ingress] + given
        return ",".join(given) or "<pending>"
    return joined(given)


def endpoints(obj: Object) -> str:
    """The first addresses with their ports."""
    found = []
    for subset in obj.get("subsets") or ():
        addresses = subset.get("addresses") or ()
        ports = subset.get("ports") or ()
        if not ports:
            found += [address.get("ip", "") for address in addresses]
        for port in ports:
            for address in addresses:
                ip = address.get("ip", "")
                found.append(f"[{ip}]:{port.get('port')}" if ":" in ip else f"{ip}:{port.get('port')}")
    return shortened(found)


def shortened(found: list[str]) -> str:
    """At most three, and how many more."""
    if len(found) <= ENDPOINTS_SHOWN:
        return joined(found)
    return f"{','.join(found[:ENDPOINTS_SHOWN])} + {len(found) - ENDPOINTS_SHOWN} more..."


def slice_ports(obj: Object) -> str:
    """Port numbers of an EndpointSlice."""
    ports = obj.get("ports")
    if not ports:
        return "<unset>"
    shown = [str(port.get("port")) if port.get("port") is not None else "*" if not port.get("name") else port["name"] for port in ports]
    return shortened(shown)


def slice_endpoints(obj: Object) -> str:
    """Addresses of an EndpointSlice."""
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return shortened(found) if found else "<unset>"


# events


def event_object(obj: Object) -> str:
    """`pod/a`."""
    regarding = obj.get("involvedObject") or obj.get("regarding") or {}
    kind, name = (regarding.get("kind") or "").lower(), regarding.get("name") or ""
    return f"{kind}/{name}" if name else kind


def event_source(obj: Object) -> str:
    """Who says it."""
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    parts = [
        source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or "",
        source.get("host") or obj.get("reportingInstance") or "",
    ]
    return ", ".join(part for part in parts if part)


def event_age(field: str, instead: str) -> TimedCell:
    """How long ago."""

    def compute(obj: Object, now: float) -> str:
        from kcore.machinery.table import age

        series = obj.get("series") or {}
        return age((series.get("lastObservedTime") if field == "lastTimestamp" else None) or obj.get(field) or obj.get(instead), now)

    return compute


CELLS: Final[dict[tuple[str, str, str], Cell]] = {
    ("", "Pod", "Ready"): pod_ready,
    ("", "Pod", "Status"): pod_status,
    ("", "Pod", "Readiness Gates"): pod_gates,
    ("", "PodTemplate", "Pod Labels"): lambda obj: joined(
        f"{k}={v}" for k, v in sorted(((obj.get("template") or {}).get("metadata") or {}).get("labels", {}).items())
    ),
    ("", "Node", "Status"): node_status,
    ("", "Node", "Roles"): node_roles,
    ("", "Node", "Internal-IP"): node_address("InternalIP"),
    ("", "Node", "External-IP"): node_address("ExternalIP"),
    ("", "Service", "Port(s)"): service_ports,
    ("", "Service", "External-IP"): service_external,
    ("", "Endpoints", "Endpoints"): endpoints,
    ("", "ConfigMap", "Data"): lambda obj: len(obj.get("data") or ()) + len(obj.get("binaryData") or ()),
    ("", "Secret", "Data"): lambda obj: len(obj.get("data") or ()),
    ("", "Event", "Object"): event_object,
    ("", "Event", "Subobject"): lambda obj: (obj.get("involvedObject") or {}).get("fieldPath") or "",
    ("", "Event", "Source"): event_source,
    ("", "Event", "Count"): lambda obj: obj.get("count") or 1,
    ("apps", "Deployment", "Ready"): lambda obj: (
        f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{(obj.get('spec') or {}).get('replicas', 0)}"
    ),
    ("apps", "StatefulSet", "Ready"): lambda obj: (
        f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{(obj.get('spec') or {}).get('replicas', 0)}"
    ),
    ("apps", "ControllerRevision", "Controller"): lambda obj: next(
        (
            f"{o['kind'].lower()}.{o['apiVersion'].partition('/')[0]}/{o['name']}"
            for o in obj["metadata"].get("ownerReferences") or ()
            if o.get("controller")
        ),
        NONE,
    ),
    ("apps", "DaemonSet", "Node Selector"): lambda obj: joined(
        f"{k}={v}" for k, v in sorted((((obj.get("spec") or {}).get("template") or {}).get("spec") or {}).get("nodeSelector", {}).items())
    ),
    ("discovery.k8s.io", "EndpointSlice", "Ports"): slice_ports,
    ("discovery.k8s.io", "EndpointSlice", "Endpoints"): slice_endpoints,
    ("batch", "Job", "Completions"): lambda obj: (
        f"{(obj.get('status') or {}).get('succeeded', 0)}/{(obj.get('spec') or {}).get('completions', 1)}"
    ),
    ("batch", "CronJob", "Active"): lambda obj: len((obj.get("status") or {}).get("active") or ()),
}

TIMED: Final[dict[tuple[str, str, str], TimedCell]] = {
    ("", "Pod", "Restarts"): pod_restarts,
    ("", "Event", "Last Seen"): event_age("lastTimestamp", "eventTime"),
    ("", "Event", "First Seen"): event_age("firstTimestamp", "eventTime"),
}

# Columns that mean the same in every kind.
ANY_KIND: Final[dict[str, Cell]] = {
    "Containers": lambda obj: joined(each.get("name", "") for each in template(obj)),
    "Images": lambda obj: joined(each.get("image", "") for each in template(obj)),
    "Selector": selector,
}
