"""A story of Jobs and DaemonSets; commands beside those of `story`:

job|daemonset|node NAME FIELD=VALUE ...
run                             pods that are Pending get their node and are Running and ready; pods on their way out go
end PHASE COUNT [EXITCODE]      the first so many running pods end, as Succeeded or Failed
plan|step job|daemonset NAME    all that one look writes; what the first write changes is what the next ones start from
"""

from functools import partial
from typing import Any

from kcore.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kcore.api.apps.v1.daemon_set_pb2 import DaemonSet
from kcore.api.batch.v1.job_pb2 import Job
from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.controllers import history, pod_template
from kcore.controllers.actions import Action, Create, Delete, Outcome, Patch
from kcore.controllers.daemonset import counts, placement, rolling_update
from kcore.controllers.daemonset.eligibility import NONE, demand_of, fit
from kcore.controllers.daemonset.pods import DAEMONSETS, REVISION_LABEL, by_node, new_pod, revision_of, target_node
from kcore.controllers.job import backoff, finalizers, scaling, tracking
from kcore.controllers.job.judgement import Observed, judge
from kcore.controllers.job.pods import TRACKING, is_finished, is_pod_failed, is_pod_succeeded
from kcore.controllers.pod_names import free_names
from tests.golden.controllers import story
from tests.golden.controllers.stateful_story import StatefulStory

KINDS = {**story.KINDS, "job": Job, "daemonset": DaemonSet, "node": Node, "revision": ControllerRevision}


class BatchStory(StatefulStory):
    """The objects of one scenario."""

    kinds = KINDS

    def put_object(self, class_: Any, name: str, *assignments: str) -> None:
        """Make or change an object; it has what the API server would default."""
        is_new = f"jobs.batch default/{name}" not in self.objects
        super().put_object(class_, name, *assignments)
        found = next(item for item in self.objects.values() if item.metadata.name == name and isinstance(item, class_))
        if class_ is Job and is_new:
            spec = found.spec
            spec.selector.matchLabels["job"] = spec.template.metadata.labels["job"] = name
            spec.parallelism = spec.parallelism if spec.HasField("parallelism") else 1
            spec.backoffLimit = spec.backoffLimit if spec.HasField("backoffLimit") else 6
        if class_ is DaemonSet and not found.spec.updateStrategy.type:
            found.spec.updateStrategy.type, found.spec.revisionHistoryLimit = "RollingUpdate", 1
            rolling = found.spec.updateStrategy.rollingUpdate
            if not rolling.HasField("maxSurge"):
                rolling.maxUnavailable.type, rolling.maxUnavailable.intVal = 0, rolling.maxUnavailable.intVal or 1

    def pods(self) -> list[Any]:
        return [item for item in self.objects.values() if isinstance(item, Pod)]

    def do_run(self) -> list[str]:
        for pod in self.pods():
            if pod.metadata.HasField("deletionTimestamp"):
                del self.objects[f"pods default/{pod.metadata.name}"]
            elif pod.status.phase in ("", "Pending"):
                pod.spec.nodeName = target_node(pod) or "n1"
                self.assign(pod, "ready", str(int(self.now)))
        return []

    def do_end(self, phase: str, number: str, code: str = "1") -> list[str]:
        running = sorted((pod for pod in self.pods() if pod.status.phase == "Running"), key=lambda pod: pod.metadata.name)
        for pod in running[: int(number)]:
            pod.status.phase, pod.status.conditions[0].status = phase, "False"
            terminated = pod.status.containerStatuses.add(name="c").state.terminated
            terminated.exitCode, terminated.finishedAt.seconds = int(code) if phase == "Failed" else 0, int(self.now)
        return []

    def plan_job(self, name: str) -> Any:
        job = self.objects[f"jobs.batch default/{name}"]
        if is_finished(job):
            return [], []
        pods = self.own(job, Pod)
        counted = [pod for pod in pods if TRACKING not in pod.metadata.finalizers]
        record = backoff.follow(backoff.Record(), filter(is_pod_succeeded, counted), [pod for pod in counted if is_pod_failed(pod, job)])
        judged = judge(Observed(job, pods, frozenset(), True, record, self.now))
        planned = scaling.plan(judged, partial(self.names, job, str(judged.failed)))
        wanted: list[Action] = [finalizers.removal(pod, "0") for pod in planned.removals if TRACKING in pod.metadata.finalizers]
        sent = [*planned.creates, *(pod_template.delete(job, pod) for pod in (*planned.removals, *planned.ends))]
        left = scaling.scaled(judged, planned, [Outcome(action, None) for action in sent])
        tracked = tracking.track(judged, left)
        released = {pod.metadata.uid for pod in tracked.releases}
        concluded = tracking.conclude(judged, left, tracked, job.metadata.resourceVersion, released)
        wanted += [*sent, *([tracked.update] if tracked.update else [])]
        wanted += [*(finalizers.removal(pod, "0") for pod in tracked.releases), *([concluded] if concluded else [])]
        return wanted, [f"again in {planned.wait_s:g} s"] if planned.wait_s else []

    def names(self, owner: Any, life: str, prefix: str = "") -> Any:
        return free_names(owner, lambda name: f"pods default/{name}" in self.objects, prefix=prefix, life=life)

    def plan_daemonset(self, name: str) -> Any:
        owner = self.objects[f"daemonsets.apps default/{name}"]
        revisions, pods, wanted = self.own(owner, ControllerRevision), self.own(owner, Pod), []
        same = history.with_data(revisions, history.data_of(owner.spec.template))
        number = history.next_number(item for item in revisions if item not in same)
        newest = same[-1] if same else history.new_revision(owner, DAEMONSETS, REVISION_LABEL, number, 0)
        wanted += [Create(newest)] if not same else [history.renumber(newest, number)] if newest.revision < number else []
        nodes = [item for item in self.objects.values() if isinstance(item, Node)]
        fits = {item.metadata.name: fit(demand_of(owner.spec.template.spec), item) for item in nodes}
        here = by_node(pods)
        strangers = frozenset(item for item in here if fits.get(item) == NONE)
        known = {item: found for item, found in fits.items() if found != NONE}
        observed = placement.Observed(owner, revision_of(owner, newest), known, strangers, here, {}, self.now)
        planned = placement.plan(observed)
        if not planned.creates and not planned.deletes and owner.spec.updateStrategy.type == "RollingUpdate":
            planned = rolling_update.plan(observed)
        for node in planned.creates:
            pod = new_pod(owner, observed.revision, node, next(self.names(owner, f"{observed.revision.hash}/{node}")))
            wanted.append(pod_template.create(owner, pod))
        wanted += [*planned.events, *(pod_template.delete(owner, pod) for pod in planned.deletes)]
        old = [item for item in revisions if item is not newest]
        used = {pod.metadata.labels.get(REVISION_LABEL) for pod in pods}
        beyond = history.beyond(old, owner.spec.revisionHistoryLimit, lambda item: item.metadata.labels[REVISION_LABEL] in used)
        wanted += [Delete(history.REVISIONS, "default", item.metadata.name, uid=item.metadata.uid) for item in beyond]
        state = counts.plan_status(observed, was_acted_on=True, collision_count=0)
        return wanted + ([state] if state is not None else []), []

    def act(self, action: Any) -> None:
        """Do to the objects what the API server would: a pod on a node, or with finalizers, takes its time to go."""
        if isinstance(action, Patch) and "finalizers" in action.body["metadata"]:
            found = self.objects[f"{action.resource} default/{action.name}"]
            del found.metadata.finalizers[:]
            found.metadata.finalizers.extend(action.body["metadata"]["finalizers"] or ())
        elif isinstance(action, Delete) and action.resource.resource == "pods":
            found = self.objects[f"pods default/{action.name}"]
            if found.spec.nodeName or found.metadata.finalizers:
                found.metadata.deletionTimestamp.seconds = int(self.now)
            else:
                super().act(action)
        else:
            super().act(action)
