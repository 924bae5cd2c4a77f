"""A story of services, nodes and the pods that belong to them; commands beside those of `story`:

service|endpoints|endpointslice|node NAME FIELD=VALUE ...
    of a service: app=VALUE (its selector), port=NAME:NUMBER:TARGET[:PROTOCOL]; of a node: CONDITION=STATUS, label=KEY=VALUE,
    taint=KEY:EFFECT; of a pod: ip=ADDRESS (once more: a second one), node=NAME, port=NAME:NUMBER, tolerate=KEY[=VALUE][:SECONDS]
pods COUNT                              makes so many ready pods, of app web, on n1 and n2
plan|step endpoints|endpointslice SERVICE [deleted]
plan|step node NODE [evict] [total]     what a node needs; its pods may be evicted now; no node is ready anywhere
plan|step silent NODE                   the node is not heard of
plan|step eviction POD
plan|step pod-gc all [gone=NODE] [threshold=COUNT]
"""

from itertools import count
from typing import Any

from kcore.api.core.v1.endpoints_pb2 import Endpoints
from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.api.core.v1.service_pb2 import Service
from kcore.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kcore.client import kinds
from kcore.controllers import endpoints, endpointslice, node_lifecycle, pod_garbage_collector, taint_eviction
from kcore.controllers.actions import Create, Patch
from kcore.controllers.pod_state import is_finished
from kcore.controllers.service_pods import is_selected
from kcore.machinery.timestamp import parse_time
from tests.golden.controllers.notation import put
from tests.golden.controllers.story import Story

KINDS = {"service": Service, "endpoints": Endpoints, "endpointslice": EndpointSlice, "node": Node}


class ServiceStory(Story):
    """The objects of one scenario."""

    def __init__(self) -> None:
        super().__init__()
        self.options: dict[str, str] = {}
        self._slices = count(1)

    def run(self, line: str) -> list[str]:
        word, *words = line.split()
        if word in KINDS:
            self.put_object(KINDS[word], *words)
            return []
        return super().run(line)

    def assign(self, found: Any, path: str, value: str = "") -> None:
        assigned = getattr(self, f"assign_{kinds.of_message(found).kind.lower()}_{path}", None)
        if assigned is not None:
            assigned(found, value)
        elif isinstance(found, Node) and path[0].isupper():
            self.assign_condition(found, path, value)
        else:
            super().assign(found, path, value)

    def assign_service_app(self, service: Any, value: str) -> None:
        service.spec.selector["app"] = value

    def assign_service_port(self, service: Any, value: str) -> None:
        name, number, target, *protocol = value.split(":")
        added = service.spec.ports.add(name=name, port=int(number), protocol=protocol[0] if protocol else "TCP")
        put(added, f"targetPort={target}")

    def assign_pod_ip(self, pod: Any, value: str) -> None:
        pod.status.podIP = pod.status.podIP or value
        pod.status.podIPs.add(ip=value)

    def assign_pod_node(self, pod: Any, value: str) -> None:
        pod.spec.nodeName = value

    def assign_pod_port(self, pod: Any, value: str) -> None:
        name, number = value.split(":")
        (pod.spec.containers or [pod.spec.containers.add(name="c")])[0].ports.add(name=name, containerPort=int(number), protocol="TCP")

    def assign_pod_tolerate(self, pod: Any, value: str) -> None:
        what, _, seconds = value.partition(":")
        key, _, wanted = what.partition("=")
        added = pod.spec.tolerations.add(key=key, effect="NoExecute", operator="Equal" if wanted else "Exists", value=wanted)
        if seconds:
            added.tolerationSeconds = int(seconds)

    def assign_node_label(self, node: Any, value: str) -> None:
        key, _, text = value.partition("=")
        node.metadata.labels[key] = text

    def assign_node_taint(self, node: Any, value: str) -> None:
        key, effect = value.split(":")
        node.spec.taints.add(key=key, effect=effect).timeAdded.seconds = int(self.now)

    def assign_condition(self, node: Any, type_: str, value: str) -> None:
        condition = next((item for item in node.status.conditions if item.type == type_), None) or node.status.conditions.add(type=type_)
        condition.status, condition.reason, condition.message = value, "Kubelet", "posted"
        condition.lastHeartbeatTime.seconds = condition.lastTransitionTime.seconds = int(self.now)

    def do_pods(self, number: str) -> list[str]:
        for index in range(int(number)):
            self.put_object(Pod, f"web-{index:03}", "app=web", f"ip=10.0.{index // 100}.{index % 100}", f"node=n{index % 2 + 1}", "ready=1")
        return []

    def do_drop(self, word: str, name: str) -> list[str]:
        if word not in KINDS:
            return super().do_drop(word, name)
        resource = kinds.of_message(KINDS[word])
        del self.objects[f"{resource} default/{name}" if resource.namespaced else f"{resource} {name}"]
        return []

    def do_plan(self, controller: str, name: str, *options: str) -> list[str]:
        self.options = dict((option.partition("=")[::2]) for option in options)
        return super().do_plan(controller, name)

    def do_step(self, controller: str, name: str, *options: str) -> list[str]:
        self.options = dict((option.partition("=")[::2]) for option in options)
        return super().do_step(controller, name)

    def of_kind(self, class_: type[Any]) -> list[Any]:
        return [found for _, found in sorted(self.objects.items()) if isinstance(found, class_)]

    def selected(self, service: Any) -> list[Any]:
        return [pod for pod in self.of_kind(Pod) if service is not None and is_selected(service, pod.metadata.labels)]

    def plan_endpoints(self, name: str) -> Any:
        service = self.objects.get(f"services default/{name}")
        current = self.objects.get(f"endpoints default/{name}")
        return endpoints.plan(service, self.selected(service), current, "deleted" in self.options), []

    def plan_endpointslice(self, name: str) -> Any:
        service = self.objects.get(f"services default/{name}")
        zones = {node.metadata.name: node.metadata.labels.get(endpointslice.ZONE, "") for node in self.of_kind(Node)}
        slices = [each for each in self.of_kind(EndpointSlice) if each.metadata.labels[endpointslice.SERVICE_NAME] == name]
        return endpointslice.plan(service, self.selected(service), zones, slices), []

    def plan_node(self, name: str) -> Any:
        pods = [pod for pod in self.of_kind(Pod) if pod.spec.nodeName == name]
        node = self.objects[f"nodes {name}"]
        return node_lifecycle.plan(node, pods, "evict" in self.options, "total" in self.options, self.now), []

    def plan_silent(self, name: str) -> Any:
        return node_lifecycle.silent(self.objects[f"nodes {name}"], self.now), []

    def plan_eviction(self, name: str) -> Any:
        pod = self.objects[f"pods default/{name}"]
        taints = taint_eviction.no_execute(self.objects[f"nodes {pod.spec.nodeName}"])
        leave_s = taint_eviction.leave_in_s(pod, taints, self.now, self.now)
        if leave_s > 0:
            return [], [f"in {leave_s:g} s"]
        return [*taint_eviction.mark(pod, self.now), *taint_eviction.evict(pod)], []

    def plan_pod_gc(self, _: str) -> Any:
        pods = self.of_kind(Pod)
        orphans = [pod for pod in pods if pod.spec.nodeName == self.options.get("gone", "-")]
        deleting = [pod for pod in pods if pod.metadata.HasField("deletionTimestamp")]
        finished = [pod for pod in pods if is_finished(pod)]
        nodes = {node.metadata.name: node for node in self.of_kind(Node)}
        threshold = int(self.options.get("threshold", 100))
        return pod_garbage_collector.plan(orphans, deleting, finished, nodes, threshold, self.now), []

    def act(self, action: Any) -> None:
        if isinstance(action, Create) and not action.object.metadata.name:
            action.object.metadata.name = f"{action.object.metadata.generateName}{next(self._slices)}"
        if isinstance(action, Patch) and action.resource.kind == "Node":
            self.patch_node(action)
        else:
            super().act(action)

    def patch_node(self, action: Patch) -> None:
        node = self.objects[f"nodes {action.name}"]
        node.metadata.labels.update(action.body["metadata"].get("labels", {}))
        if "spec" in action.body:
            del node.spec.taints[:]
            for taint in action.body["spec"]["taints"] or ():
                added = node.spec.taints.add(key=taint["key"], effect=taint["effect"], value=taint.get("value"))
                if "timeAdded" in taint:
                    added.timeAdded.seconds = int(parse_time(taint["timeAdded"]))
