"""What becomes of the pods of all hollow nodes: changes, time and answers in, writes out. Never waits.

    receive(changes)      pods were bound, changed, deleted          take(count)       writes to send, at most one a pod
    wake(now)             timers are due                             settle(pod, ...)  what became of a write
    retry(node)           a node has addresses to give

A pod is looked at as a whole each time (level, not edge): its state is taken as far as time allows, written into the object
that was seen last, and sent if that changed anything. While a write is under way nothing is decided; its answer, or the event
that it causes, starts the next look. A deleted pod is written with its final status, and when that is stored it is deleted with
its uid as precondition.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from math import inf
from typing import Final

from kcore.agent import podevents, podstatus
from kcore.agent.hollownode import HollowNode, HollowPod
from kcore.agent.nodefleet import RETRIED
from kcore.agent.outbox import Outbox
from kcore.agent.podevents import WARNING, Told
from kcore.agent.podprofile import Profiles
from kcore.agent.podstart import PodStart
from kcore.agent.podstate import Advance, Moment, adapt, new_state, run_at_once
from kcore.agent.settings import HollowSettings
from kcore.api.core.v1.pod_pb2 import Pod, PodStatus
from kcore.base import limits, log
from kcore.client import items, kinds
from kcore.client.bulk import BulkResult
from kcore.client.items import Item
from kcore.client.retry import Backoff
from kcore.client.wire import DELETED, WatchEvent
from kcore.machinery.status import StatusError

_PODS: Final = kinds.of_message(Pod)
_LOG = log.get("agent.pods")
_BACKOFF: Final = Backoff(limits.HOLLOW_RETRY_S, limits.HOLLOW_RETRY_S_MAX)


class PodFleet:
    """The pods of all hollow nodes of one process. Thread: one owner calls it."""

    def __init__(self, nodes: Mapping[str, HollowNode], settings: HollowSettings, random: Callable[[], float]) -> None:
        """Random: a number in [0, 1), as `Entropy.random`."""
        self.events: deque[tuple[HollowPod, Told]] = deque(maxlen=limits.HOLLOW_EVENTS_MAX)
        self._nodes = nodes
        self._profiles = Profiles(settings)
        self._advance = Advance(settings, random)
        self._start = PodStart(settings, self._profiles)
        self._pods: dict[str, HollowPod] = {}
        self._outbox: Outbox[HollowPod] = Outbox()
        self._timers: list[tuple[float, int, HollowPod]] = []
        self._timer_count = 0
        self._is_open = False

    def __len__(self) -> int:
        return len(self._pods)

    @property
    def pending(self) -> int:
        """Number of pods that have something to write."""
        return len(self._outbox)

    @property
    def next_s(self) -> float:
        """Steady time at which a timer is due; infinite if there is none."""
        return self._timers[0][0] if self._timers else inf

    def pod(self, key: str) -> HollowPod | None:
        """A pod by `namespace/name`."""
        return self._pods.get(key)

    def open(self, now: Moment) -> None:
        """All pods that were there before are known: from here on pods are given addresses and run."""
        self._is_open = True
        for pod in list(self._pods.values()):
            self._look(pod, None, now)

    def receive(self, changes: Iterable[WatchEvent], now: Moment) -> None:
        """Take changes in, as a reflector of all assigned pods delivers them."""
        for change in changes:
            if change.type == DELETED:
                pod = self._pods.get(change.key)
                if pod is not None:
                    self._forget(pod, now)
            else:
                self._present(change, now)

    def wake(self, now: Moment) -> None:
        """Take on those whose time has come."""
        timers = self._timers
        while timers and timers[0][0] <= now.steady_s:
            due_s, _, pod = heappop(timers)
            if pod.is_gone or pod.wakes_s != due_s:
                continue
            pod.wakes_s = inf
            self._look(pod, None, now)

    def retry(self, node: HollowNode, now: Moment) -> None:
        """Give addresses to the pods that wait for them, first come first served, while there are any."""
        for pod in list(node.waiting):
            pod.state.sandbox_s = min(pod.state.sandbox_s, now.steady_s)
            self._look(pod, None, now)
            if pod in node.waiting and not pod.is_stale and node.addresses is not None:
                return

    def take(self, count: int) -> list[tuple[HollowPod, Item]]:
        """Take writes to send, one each of at most so many pods; each has to be settled.

        Cost      some 5 us a write
        """
        return [(pod, self._item(pod)) for pod in self._outbox.take(count)]

    def settle(self, pod: HollowPod, result: BulkResult | None, now: Moment) -> None:
        """Take in what became of a pod's write; None if the request failed as a whole and may or may not have been carried out."""
        self._outbox.done(pod)
        if pod.is_gone:
            return
        was_deletion = not pod.rendered
        pod.rendered = b""
        if result is None:
            self._try_later(pod, now)
        elif result.error is None:
            self._written(pod, result, was_deletion, now)
        else:
            self._refused(pod, result.error, was_deletion, now)

    def _item(self, pod: HollowPod) -> Item:
        if not pod.rendered:
            return items.delete(_PODS, pod.name, namespace=pod.namespace, grace_period_seconds=0, uid=pod.uid)
        return items.raw("update", _PODS, pod.rendered, namespace=pod.namespace, name=pod.name, subresource="status")

    def _present(self, change: WatchEvent, now: Moment) -> None:
        """A pod is there, new or changed."""
        pod = self._pods.get(change.key)
        if pod is not None:
            if self._outbox.is_under_way(pod) or (change.revision == pod.written and not pod.is_stale and pod not in self._outbox):
                self._saw(pod, change)
                return
        elif self._is_open and self._start_at_once(change, now):
            return
        seen = Pod.FromString(change.raw)
        if pod is None:
            self._adopt(change.key, seen, change.raw, change.revision, now)
        else:
            pod.raw, pod.revision = change.raw, change.revision
            self._look(pod, seen, now)

    def _start_at_once(self, change: WatchEvent, now: Moment) -> bool:
        """Run a plain pod that was just bound; returns whether there is nothing more to do about it."""
        fresh = self._start.recognise(change.raw, now)
        if fresh is None:
            return False
        node = self._nodes.get(fresh.node)
        if node is None:
            return True
        if node.addresses is None:
            return False
        addresses = node.addresses.allocate(fresh.uid, now.steady_s)
        if not isinstance(addresses, tuple):
            return False
        state = new_state(fresh.template.profile)
        run_at_once(state, addresses, now)
        pod = HollowPod(change.key, fresh.namespace, fresh.name, fresh.uid, node, state.profile, state, fresh.generation, change.raw)
        pod.revision = pod.rendered_from = change.revision
        pod.rendered = self._start.running(fresh, addresses, node.host_ips, now)
        pod.is_held = True
        self._pods[change.key] = pod
        node.pods.add(pod)
        self._outbox.add(pod)
        return True

    def _saw(self, pod: HollowPod, change: WatchEvent) -> None:
        """Note an object that nothing has to be decided about now."""
        pod.raw, pod.revision = change.raw, change.revision
        self._spare(pod)

    def _spare(self, pod: HollowPod) -> None:
        """Let go of the object of a pod that nothing will happen to by itself: there may be 100,000."""
        if pod.wakes_s == inf and pod.revision >= pod.written and pod not in pod.node.waiting and pod not in self._outbox:
            pod.raw = b""

    def _adopt(self, key: str, seen: Pod, raw: bytes, revision: int, now: Moment) -> None:
        """Take a pod on, unless its node is not of this process."""
        node = self._nodes.get(seen.spec.nodeName)
        if node is None:
            return
        meta = seen.metadata
        profile = self._profiles.of(seen)
        state = podstatus.read(profile, seen, now)
        pod = HollowPod(key, meta.namespace, meta.name, meta.uid, node, profile, state, meta.generation, raw, revision)
        self._pods[key] = pod
        node.pods.add(pod)
        if node.addresses is not None:
            self.claim(pod)
        self._look(pod, seen, now)

    def claim(self, pod: HollowPod) -> None:
        """Hold the addresses that a pod had before, once its node knows which are its own."""
        state = pod.state
        if not state.addresses or pod.profile.host_network or state.outcome or pod.is_held:
            return
        assert pod.node.addresses is not None, "a node's addresses are opened before they are claimed"
        problems = pod.node.addresses.adopt(pod.uid, state.addresses)
        if problems:
            _LOG.warning("pod gets another address", pod=pod.key, reason=problems[0].message)
            state.addresses = ()
        else:
            pod.is_held = True

    def _look(self, pod: HollowPod, seen: Pod | None, now: Moment) -> None:
        """Take a pod as far as time allows, and note what has to be written.

        seen      its object, if it was parsed already
        """
        if not self._is_open:
            return
        if self._outbox.is_under_way(pod) or (seen is None and (pod.revision < pod.written or not pod.raw)):
            pod.is_stale = True
            return
        if seen is None:
            seen = Pod.FromString(pod.raw)
        if seen.metadata.uid != pod.uid:
            self._forget(pod, now)
            self._adopt(pod.key, seen, pod.raw, pod.revision, now)
            return
        pod.is_stale = False
        is_new = self._live(pod, seen, now)
        self._render(pod, seen, is_new, now)
        self._set_timer(pod, pod.state.wakes_s)
        self._spare(pod)

    def _live(self, pod: HollowPod, seen: Pod, now: Moment) -> bool:
        """Take the state as far as time allows; returns whether the pod begins just now."""
        state, meta = pod.state, seen.metadata
        if pod.generation != meta.generation:
            pod.generation = meta.generation
            pod.profile = self._profiles.of(seen)
            adapt(state, pod.profile)
        if meta.HasField("deletionTimestamp"):
            self._advance.end(state, float(meta.deletionGracePeriodSeconds), now)
        is_new = not state.start_wall_s
        if is_new:
            self._advance.begin(state, now)
        if state.needs_addresses and state.sandbox_s <= now.steady_s < state.ends_s:
            self._give_addresses(pod, now)
        before = podevents.stages(state)
        self._advance(state, now)
        for told in podevents.happened(state, before, f"{pod.name}_{pod.namespace}({pod.uid})"):
            self.events.append((pod, told))
        if state.outcome:
            pod.node.waiting.pop(pod, None)
        return is_new

    def _render(self, pod: HollowPod, seen: Pod, is_new: bool, now: Moment) -> None:
        """Write the state into the object, and queue the pod if that changed it, or if it can be deleted."""
        before = None
        if not is_new:
            before = PodStatus()
            before.CopyFrom(seen.status)
        podstatus.write(pod.state, seen, pod.node.host_ips, now)
        pod.rendered = b""
        if before is None or before != seen.status:
            pod.rendered, pod.rendered_from = seen.SerializeToString(), pod.revision
            self._outbox.add(pod)
            return
        if pod.state.is_over and not pod.is_deleted:
            self._outbox.add(pod)
        else:
            self._outbox.discard(pod)
        if pod.state.outcome:
            self._release(pod, now)

    def _give_addresses(self, pod: HollowPod, now: Moment) -> None:
        """Give a pod its addresses, or let it wait for them."""
        node, state = pod.node, pod.state
        if pod.profile.host_network and node.host_ips:
            state.addresses = node.host_ips
            node.waiting.pop(pod, None)
            return
        if node.addresses is None or pod.profile.host_network:
            node.waiting[pod] = None
            state.sandbox_s = inf
            return
        answer = node.addresses.allocate(pod.uid, now.steady_s)
        if isinstance(answer, tuple):
            state.addresses = answer
            pod.is_held = True
            node.waiting.pop(pod, None)
            return
        node.waiting[pod] = None
        state.sandbox_s = now.steady_s + max(answer.rest_s, limits.ADDRESS_RETRY_S)
        text = f"Failed to create pod sandbox: failed to set up the network of the sandbox: {answer.message}"
        self.events.append((pod, Told(WARNING, "FailedCreatePodSandBox", text)))

    def _release(self, pod: HollowPod, now: Moment) -> None:
        """Take back the addresses of a pod that everybody can see has ended, and give them to one that waits."""
        pod.node.waiting.pop(pod, None)
        if pod.is_held and pod.node.addresses is not None:
            pod.is_held = False
            pod.node.addresses.release(pod.uid, now.steady_s)
            self.retry(pod.node, now)

    def _forget(self, pod: HollowPod, now: Moment) -> None:
        """A pod's object is gone."""
        pod.is_gone = True
        del self._pods[pod.key]
        pod.node.pods.discard(pod)
        self._outbox.discard(pod)
        self._release(pod, now)

    def _written(self, pod: HollowPod, result: BulkResult, was_deletion: bool, now: Moment) -> None:
        pod.failures = 0
        if was_deletion:
            pod.is_deleted = True
            return
        pod.written = int(result.resource_version)
        if pod.state.outcome:
            self._release(pod, now)
        if pod.state.is_over:
            self._outbox.add(pod)
        elif pod.revision > pod.written or (pod.is_stale and pod.revision == pod.written):
            self._look(pod, None, now)
        else:
            self._spare(pod)

    def _refused(self, pod: HollowPod, error: StatusError, was_deletion: bool, now: Moment) -> None:
        """A write was refused: somebody wrote before, the pod is gone, or the server wants it later."""
        if error.reason == "Conflict" and not was_deletion:
            if pod.revision > pod.rendered_from or pod.is_stale:
                self._look(pod, None, now)
            return
        if error.reason in ("NotFound", "Conflict"):
            pod.is_deleted = True
            return
        if error.reason in RETRIED:
            self._try_later(pod, now)
            return
        _LOG.warning("pod write refused", pod=pod.key, reason=error.reason, message=error.message)

    def _try_later(self, pod: HollowPod, now: Moment) -> None:
        pod.failures += 1
        self._set_timer(pod, now.steady_s + _BACKOFF.pause_s(pod.failures, 0.0))

    def _set_timer(self, pod: HollowPod, wakes_s: float) -> None:
        if wakes_s != pod.wakes_s:
            pod.wakes_s = wakes_s
            if wakes_s < inf:
                self._timer_count += 1
                heappush(self._timers, (wakes_s, self._timer_count, pod))
