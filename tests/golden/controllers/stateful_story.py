"""A story of StatefulSets; commands beside those of `story`:

statefulset|claim|revision NAME FIELD=VALUE ...
    of a set: claim=NAME (a template of claims), retain=WHENDELETED/WHENSCALED; of a claim, a pod or a revision: owner=NAME
plan|step statefulset NAME          the history comes first: the revision of the template is made or renumbered

A pod that is created is shown with its image and revision.
"""

from typing import Any

from kcore.api.apps.v1.controller_revision_pb2 import ControllerRevision
from kcore.api.apps.v1.stateful_set_pb2 import StatefulSet
from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.api.core.v1.pod_pb2 import Pod
from kcore.controllers import adoption, history, stateful_plan, stateful_pods, statefulset
from kcore.controllers.actions import Action, Create
from kcore.controllers.pod_state import next_available_s
from tests.golden.controllers import story
from tests.golden.controllers.story import Story

KINDS = {**story.KINDS, "statefulset": StatefulSet, "claim": PersistentVolumeClaim, "revision": ControllerRevision}


class StatefulStory(Story):
    """The objects of one scenario."""

    kinds = KINDS

    def assign(self, found: Any, path: str, value: str = "") -> None:
        if path == "claim":
            found.spec.volumeClaimTemplates.add().metadata.name = value
        elif path == "retain":
            policy = found.spec.persistentVolumeClaimRetentionPolicy
            policy.whenDeleted, policy.whenScaled = value.split("/")
        else:
            super().assign(found, path, value)

    def put_object(self, class_: Any, name: str, *assignments: str) -> None:
        """Make or change an object; a set has what the API server would default."""
        super().put_object(class_, name, *assignments)
        found = self.objects.get(f"statefulsets.apps default/{name}")
        if class_ is StatefulSet and found is not None and not found.spec.updateStrategy.type:
            found.spec.updateStrategy.type = statefulset.ROLLING_UPDATE
            found.spec.updateStrategy.rollingUpdate.partition = 0
        if class_ is StatefulSet and found is not None and not found.spec.HasField("revisionHistoryLimit"):
            found.spec.revisionHistoryLimit = 10

    def plan_statefulset(self, name: str) -> Any:
        owner = self.objects[f"statefulsets.apps default/{name}"]
        revisions = history.by_number(self.own(owner, ControllerRevision))
        update, renumbered = statefulset.find_update(owner, revisions)
        wanted: list[Action] = [renumbered] if renumbered is not None else []
        if update is None and adoption.is_deleting(owner):
            return [], []
        if update is None:
            number = history.next_number(revisions)
            update = history.new_revision(
                owner, stateful_pods.STATEFULSETS, statefulset.HASH_LABEL, number, owner.status.collisionCount
            )
            wanted.append(Create(update))
        current = next((found for found in revisions if found.metadata.name == owner.status.currentRevision), update)
        claims = {found.metadata.name: found for found in self.objects.values() if isinstance(found, PersistentVolumeClaim)}
        observed = stateful_plan.Observed(
            owner, self.own(owner, Pod), current, update, owner.status.collisionCount, claims, True, self.now
        )
        planned = stateful_plan.plan(observed)
        wanted += [*planned.adoptions, *planned.claims, *planned.says, *planned.updates, *planned.creates, *planned.deletes]
        state = statefulset.plan_status(observed, planned.pods)
        wanted += [state] if state is not None else []
        wanted += statefulset.plan_history(observed, revisions, planned.pods)
        wait_s = next_available_s(planned.pods, owner.spec.minReadySeconds, self.now)
        return wanted, [f"again in {wait_s:g} s"] if wait_s else []

    def own(self, owner: Any, class_: Any) -> list[Any]:
        """What an owner controls, and orphans."""
        found = [item for item in self.objects.values() if isinstance(item, class_)]
        return [item for item in found if (reference := adoption.controller_of(item)) is None or reference.uid == owner.metadata.uid]
