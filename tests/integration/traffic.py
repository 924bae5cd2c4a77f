"""Workloads of every kind, made, changed and deleted in waves, and the record that watches keep of what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.client import kinds
from kcore.client.client import Client
from kcore.client.reflector import EVERYTHING, Reflector
from kcore.client.retry import Backoff, Policy, call
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery.status import StatusError

NAMESPACE: Final = "default"
REPLICAS: Final = 8
ORDINALS: Final = 3
COMPLETIONS: Final = 6
BARE_MIN, BARE_MAX = 60, 150
SENDERS: Final = 6
FOLLOWED: Final = ("services", "deployments", "replicasets", "statefulsets", "jobs")
UNSURE: Final = ("ServiceUnavailable", "Timeout", "ServerTimeout", "TooManyRequests", "Conflict")
AGAIN: Final = Policy(1_000, Backoff(0.05, 0.5), lambda error: error.reason in UNSURE)


def spec(image: str = "x:1", **more: Any) -> dict[str, Any]:
    return {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": image}], **more}


def template(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": name}}, "spec": spec(**more)}


def workloads(wave: int) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What a wave makes besides bare pods: group, resource, kind, object."""
    web, db, job, indexed = (f"{name}-{wave}" for name in ("web", "db", "job", "indexed"))
    runs = {"completions": COMPLETIONS, "parallelism": 3, "template": {"spec": spec(restartPolicy="Never")}}

    def named(name: str, **body: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": body}

    def selecting(name: str, replicas: int) -> dict[str, Any]:
        return {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name)}

    return [
        ("", "services", "Service", named(web, selector={"app": web}, ports=[{"port": 80}])),
        ("apps", "deployments", "Deployment", named(web, **selecting(web, REPLICAS))),
        ("apps", "statefulsets", "StatefulSet", named(db, serviceName=db, **selecting(db, ORDINALS))),
        ("batch", "jobs", "Job", named(job, **runs)),
        ("batch", "jobs", "Job", named(indexed, completionMode="Indexed", **runs)),
    ]


class Record:
    """What was seen by watches that are resumed, never begun again: all pods that ever were, and every breach of a promise.

    present    pods that are there, by key
    owners     of every pod that ever was, by uid: kind and name of its controller
    addresses  the pod that has an address, by address
    breaches   sentences
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.present: dict[str, Pod] = {}
        self.nodes: dict[str, str] = {}
        self.owners: dict[str, tuple[str, str]] = {}
        self.addresses: dict[str, str] = {}
        self.breaches: list[str] = []
        self.objects: dict[str, dict[str, Any]] = {resource: {} for resource in FOLLOWED}

    def reflectors(self, client: Client) -> list[Reflector]:
        found = []
        for resource in ("pods", *FOLLOWED):
            reflector = Reflector(client.resource(kinds.find(resource)), EVERYTHING, client.clock, client.entropy)
            reflector.add_receiver(self.take_pods if resource == "pods" else self.taker(resource))
            found.append(reflector)
        return found

    def taker(self, resource: str) -> Callable[[list[WatchEvent]], None]:
        message, known = kinds.find(resource).message, self.objects[resource]

        def take(changes: list[WatchEvent]) -> None:
            for change in changes:
                if change.type == DELETED:
                    known.pop(change.key, None)
                else:
                    known[change.key] = message.FromString(change.raw)
            self.changed.set()

        return take

    def take_pods(self, changes: list[WatchEvent]) -> None:
        for change in changes:
            if change.type == DELETED:
                self.forget(change.key)
            else:
                self.see(change.key, Pod.FromString(change.raw))
        self.changed.set()

    def forget(self, key: str) -> None:
        self.hold(self.present.pop(key).metadata.uid, set())

    def see(self, key: str, pod: Pod) -> None:
        uid, node = pod.metadata.uid, pod.spec.nodeName
        if key in self.present and self.present[key].metadata.uid != uid:
            self.forget(key)
        self.present[key] = pod
        self.owners[uid] = next(((owner.kind, owner.name) for owner in pod.metadata.ownerReferences if owner.controller), ("", ""))
        before = self.nodes.get(uid, "")
        if before and before != node:
            self.breaches.append(f"{key} was bound to {before} and then to {node or 'none'}")
        self.nodes[uid] = node
        has_ended = pod.status.phase in ("Succeeded", "Failed")
        self.hold(uid, set() if has_ended else {each.ip for each in pod.status.podIPs})

    def hold(self, uid: str, addresses: set[str]) -> None:
        """Take in which addresses a pod has now."""
        for address in [address for address, holder in self.addresses.items() if holder == uid and address not in addresses]:
            del self.addresses[address]
        for address in addresses:
            holder = self.addresses.setdefault(address, uid)
            if holder != uid:
                self.breaches.append(f"{address} is that of pod {holder} and of pod {uid}")

    def made(self, kind: str) -> Counter[str]:
        """How many pods each controller of a kind ever had."""
        return Counter(name for owner, name in self.owners.values() if owner == kind)

    def bound(self, prefix: str) -> int:
        """How many pods whose name begins so are bound."""
        return sum(1 for pod in self.present.values() if pod.metadata.name.startswith(prefix) and pod.spec.nodeName)

    async def until(self, lacking: Callable[[], object], deadline_s: float) -> None:
        """Wait until nothing is lacking in what was seen."""
        try:
            async with asyncio.timeout(deadline_s):
                while lacking():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"after {deadline_s:g} s: {lacking()}") from None

    def missing(self, made: set[tuple[str, str]], gone: set[str]) -> list[str]:
        """What was acknowledged and has not been seen, yet."""
        known = {(resource, key.rpartition("/")[2]) for resource, found in (*self.objects.items(), ("pods", self.present)) for key in found}
        return [f"{resource} {name} is not there" for resource, name in made - known] + [
            f"pod {name} is still there" for resource, name in known if resource == "pods" and name in gone
        ]

    def late(self) -> list[str]:
        """What is not as it was asked for, yet."""
        late = [f"pod {key} is {pod.status.phase}" for key, pod in self.present.items() if pod.status.phase not in ("Running", "Succeeded")]
        late += [f"pod {key} is being deleted" for key, pod in self.present.items() if pod.metadata.HasField("deletionTimestamp")]
        for name, found in self.objects["deployments"].items():
            state = found.status
            counts = {state.replicas, state.updatedReplicas, state.availableReplicas}
            if counts != {REPLICAS} or state.observedGeneration != found.metadata.generation:
                late.append(f"deployment {name}: {counts}")
        late += [f"statefulset {name}" for name, found in self.objects["statefulsets"].items() if found.status.readyReplicas != ORDINALS]
        for name, found in self.objects["jobs"].items():
            if not any(each.type == "Complete" and each.status == "True" for each in found.status.conditions):
                late.append(f"job {name}: {found.status.succeeded} of {COMPLETIONS}")
        return late


class Traffic:
    """Sends waves; whatever it returns from was acknowledged.

    made  acknowledged and not deleted: resource and name
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.made: set[tuple[str, str]] = set()
        self.gone: set[str] = set()

    async def wave(self, number: int, enough: asyncio.Event) -> None:
        """Make a wave's workloads, change and delete some of the wave before, and send bare pods until it is enough."""
        names = (f"bare-{number}-{index}" for index in range(BARE_MAX))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.change(number))
            for _ in range(SENDERS):
                tasks.create_task(self.send(number, names, enough))

    async def change(self, number: int) -> None:
        for group, resource, kind, body in workloads(number):
            await self.create(group, resource, {"apiVersion": f"{group}/v1".lstrip("/"), "kind": kind, **body})
        if number == 0:
            return
        web = f"web-{number - 1}"
        await self.sure(self.resource("apps", "deployments").patch, web, {"spec": {"template": template(web, image="x:2")}})
        for index in range(BARE_MIN // 2):
            await self.delete(f"bare-{number - 1}-{index}")

    async def send(self, number: int, names: Any, enough: asyncio.Event) -> None:
        for name in names:
            labels = {"wave": str(number)}
            await self.create("", "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec()})
            if enough.is_set() and ("pods", f"bare-{number}-{BARE_MIN}") in self.made:
                return

    def resource(self, group: str, resource: str) -> Any:
        return self.client.dynamic.resource(group, "v1", resource)

    async def sure(self, act: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Ask again as long as it is not known what became of it; a call that turns out to have been carried out is done."""
        attempts = 0

        async def once() -> None:
            nonlocal attempts
            attempts += 1
            try:
                await act(*arguments, namespace=NAMESPACE)
            except StatusError as error:
                if error.reason not in ("AlreadyExists", "NotFound") or attempts == 1:
                    raise

        await call(once, AGAIN, self.client.clock, self.client.entropy)

    async def create(self, group: str, resource: str, body: dict[str, Any]) -> None:
        await self.sure(self.resource(group, resource).create, body)
        self.made.add((resource, body["metadata"]["name"]))

    async def delete(self, name: str) -> None:
        await self.sure(self.resource("", "pods").delete, name)
        self.made.discard(("pods", name))
        self.gone.add(name)
