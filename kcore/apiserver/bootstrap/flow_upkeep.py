"""What becomes of flow schemas and priority levels while an API server runs.

Each schema says whether its priority level exists (its condition Dangling), soon after either changed. Those that every cluster has come
back when they are deleted, and have their spec put right unless an annotation says that it is somebody's own. What an earlier version had
made, and this one has not, goes.

Source: Kubernetes apiserver `pkg/util/flowcontrol/apf_controller.go`, `pkg/registry/flowcontrol/rest`, `pkg/registry/flowcontrol/ensurer`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from kcore.apiserver.bootstrap import flows
from kcore.apiserver.bootstrap.ensure import put
from kcore.apiserver.bootstrap.network import SELF
from kcore.apiserver.entry.gate import LEVEL, SCHEMA, Gate
from kcore.apiserver.pipeline import Pipeline
from kcore.base import limits, log
from kcore.machinery import meta, status
from kcore.machinery.request import Request
from kcore.machinery.scheme import KindSpec
from kcore.store.storage import StoreError, Submission

Object = dict[str, Any]
LOG = log.get("apiserver")
APPLY_PATCH: Final = "application/apply-patch+yaml"
MANAGER: Final = "api-priority-and-fairness-config-consumer-v1"
"""Fixed by Kubernetes: who owns the condition."""
TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
"""What Go reads as a boolean."""


def judged(schema: Object, levels: Iterable[str], now: str) -> Object | None:
    """The condition that a schema is to have, with its time; None if it has it."""
    level = ((schema.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name") or ""
    wanted = flows.dangling(level, level in levels)
    conditions: list[Object] = (schema.get("status") or {}).get("conditions") or []
    present = next((each for each in conditions if each.get("type") == flows.DANGLING), Object())
    if all(present.get(name) == value for name, value in wanted.items()):
        return None
    is_turn = present.get("status") != wanted["status"] or not present.get("lastTransitionTime")
    return {**wanted, "lastTransitionTime": now if is_turn else present["lastTransitionTime"]}


def is_kept_up(obj: Object) -> bool:
    """Whether an object's spec is put right: its annotation says so, or it says nothing and nobody has changed the spec."""
    said = (obj["metadata"].get("annotations") or {}).get(flows.AUTOUPDATE)
    if said in TRUE or said in FALSE:
        return said in TRUE
    return bool(obj["metadata"].get("generation") == 1)


def revised(wanted: Object, old: Object) -> Object:
    """An object that every cluster has, as it is to be."""
    is_ours = meta.name(wanted) in flows.MANDATORY or is_kept_up(old)
    new = {**old, "metadata": {**old["metadata"]}}
    annotations = new["metadata"].get("annotations") or {}
    if annotations.get(flows.AUTOUPDATE) not in (TRUE if is_ours else FALSE):
        new["metadata"]["annotations"] = {**annotations, flows.AUTOUPDATE: str(is_ours).lower()}
    if is_ours:
        new["spec"] = copy.deepcopy(wanted["spec"])
    return new


class FlowUpkeep:
    """Keeps them up. Thread: the event loop's. Cost: none as long as nobody changes any."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.registry = pipeline, pipeline.registry
        self.gate: Gate = pipeline.gate
        self.judged = self.restored = -1
        self.restore_at = 0.0

    def tick(self, now: float) -> None:
        """Do what is due at a time on the monotonic clock."""
        changes = self.gate.changes
        try:
            if self.judged != changes:
                self.judge()
                self.judged = changes
            if self.restored != changes and now >= self.restore_at:
                self.restore_at = now + limits.FLOW_UPKEEP_PERIOD_S
                self.restore()
                self.restored = changes
        except (status.StatusError, StoreError) as error:
            LOG.warning("flow schemas are not kept up", reason=str(error))

    def objects(self, spec: KindSpec) -> Iterator[Object]:
        """The objects of a kind that are not about to go."""
        return (obj for obj in self.gate.stored(spec) if self.registry.head(spec, "", meta.name(obj)) is not None)

    def judge(self) -> Submission | None:
        """Have each schema say whether its priority level exists; -> the last write to wait for."""
        last: Submission | None = None
        level_kind, schema_kind = self.gate.specs
        levels = {meta.name(obj) for obj in self.objects(level_kind)}
        for schema in self.objects(schema_kind):
            condition = judged(schema, levels, self.registry.now())
            if condition is not None:
                last = self.apply_condition(schema_kind, meta.name(schema), condition) or last
        return last

    def apply_condition(self, spec: KindSpec, name: str, condition: Object) -> Submission | None:
        """Apply a condition to a schema, as an owner of nothing else."""
        body: Object = {"apiVersion": spec.api_version, "kind": spec.kind, "metadata": {"name": name}}
        body["status"] = {"conditions": [condition]}
        request = Request("patch", spec.group, spec.version, spec.resource, "status", name=name, body=body, content_type=APPLY_PATCH)
        request.user, request.options = SELF, {"fieldManager": MANAGER, "force": True}
        return self.pipeline.write(request).submission

    def restore(self) -> None:
        """Put right those that every cluster has, and remove what is there no more."""
        by_kind = {SCHEMA.kind: self.gate.specs[1], LEVEL.kind: self.gate.specs[0]}
        wanted = {(obj["kind"], meta.name(obj)): obj for obj in flows.flows()}
        for (kind, name), obj in wanted.items():
            if put(self.registry, obj) is None:
                self.registry.update(self.writing(by_kind[kind], name), partial(revised, obj))
        for kind, spec in by_kind.items():
            for obj in self.objects(spec):
                name, said = meta.name(obj), (obj["metadata"].get("annotations") or {}).get(flows.AUTOUPDATE)
                if said in TRUE and (kind, name) not in wanted:
                    self.registry.delete(self.writing(spec, name), {})

    def writing(self, spec: KindSpec, name: str) -> Any:
        """The frame of a write of its own."""
        write = self.registry.writing(spec, "", name, SELF.name)
        write.caller = SELF
        return write
