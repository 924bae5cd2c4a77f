"""A story of claims and volumes; commands beside those of `story`:

class NAME [waits] FIELD=VALUE ...      a StorageClass
volume NAME size=SIZE [class=NAME] FIELD=VALUE ...          free, unless its status says otherwise; claims=NAME: it names that claim
claim NAME size=SIZE [class=NAME] FIELD=VALUE ...
    of both: annotation=KEY:VALUE, label=KEY:VALUE
node NAME label=KEY:VALUE
plan|step claim|volume NAME [used]      what it needs; a pod uses the claim
"""

from typing import Any

from kcore.api.core.v1.node_pb2 import Node
from kcore.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
from kcore.api.core.v1.persistent_volume_pb2 import PersistentVolume
from kcore.api.storage.v1.storage_class_pb2 import StorageClass
from kcore.controllers.actions import Delete, Patch
from kcore.controllers.volumes.matching import class_of
from kcore.controllers.volumes.plan import SELECTED_NODE, WAITS_FOR_CONSUMER, Observed, plan_claim, plan_volume
from tests.golden.controllers import story
from tests.golden.controllers.notation import put
from tests.golden.controllers.story import Story

KINDS = {**story.KINDS, "class": StorageClass, "volume": PersistentVolume, "claim": PersistentVolumeClaim, "node": Node}


class VolumeStory(Story):
    """The objects of one scenario."""

    kinds = KINDS

    def __init__(self) -> None:
        super().__init__()
        self.used = False

    def assign(self, found: Any, path: str, value: str = "") -> None:
        key, _, text = value.partition(":")
        if path == "size":
            amounts = found.spec.capacity if isinstance(found, PersistentVolume) else found.spec.resources.requests
            amounts["storage"].string = value
            found.spec.accessModes[:] = ["ReadWriteOnce"]
            found.status.phase = "Available" if isinstance(found, PersistentVolume) else "Pending"
        elif path == "class":
            found.spec.storageClassName = value
        elif path == "claims":
            claim = self.objects[f"persistentvolumeclaims default/{value}"]
            found.spec.claimRef.namespace, found.spec.claimRef.name, found.spec.claimRef.uid = "default", value, claim.metadata.uid
        elif path == "waits":
            found.volumeBindingMode = WAITS_FOR_CONSUMER
        elif path in ("annotation", "label"):
            getattr(found.metadata, f"{path}s")[key] = text
        else:
            super().assign(found, path, value)

    def do_plan(self, controller: str, name: str, used: str = "") -> list[str]:
        self.used = bool(used)
        return self.look(controller, name, acts=False)

    def do_step(self, controller: str, name: str, used: str = "") -> list[str]:
        self.used = bool(used)
        return self.look(controller, name, acts=True)

    def plan_claim(self, name: str) -> Any:
        claim = self.objects[f"persistentvolumeclaims default/{name}"]
        volumes = [item for item in self.objects.values() if isinstance(item, PersistentVolume)]
        candidates = [item for item in volumes if not item.spec.claimRef.name or item.spec.claimRef.name == name]
        node = self.objects.get(f"nodes {claim.metadata.annotations.get(SELECTED_NODE, '')}")
        labels = dict(node.metadata.labels) if node is not None else {}
        volume = self.objects.get(f"persistentvolumes {claim.spec.volumeName}")
        class_ = self.objects.get(f"storageclasses.storage.k8s.io {class_of(claim)}")
        return plan_claim(Observed(claim, class_, volume, candidates, labels, self.used)), []

    def plan_volume(self, name: str) -> Any:
        volume = self.objects[f"persistentvolumes {name}"]
        return plan_volume(volume, self.objects.get(f"persistentvolumeclaims default/{volume.spec.claimRef.name}")), []

    def act(self, action: Any) -> None:
        if isinstance(action, Patch):
            self.patch_object(action)
        elif isinstance(action, Delete):
            del self.objects[f"{action.resource} {action.name}"]
        else:
            super().act(action)

    def patch_object(self, action: Patch) -> None:
        place = f"{action.namespace}/{action.name}" if action.namespace else action.name
        found = self.objects[f"{action.resource} {place}"]
        for path, value in leaves(action.body):
            if path == "spec.claimRef" and value is None:
                found.spec.ClearField("claimRef")
            elif path.startswith("metadata.finalizers"):
                found.metadata.finalizers[:] = value or ()
            elif path.startswith("status.capacity"):
                found.status.capacity["storage"].string = value
            elif path == "status.accessModes":
                found.status.accessModes[:] = value
            elif value is None and path.startswith("metadata.annotations."):
                found.metadata.annotations.pop(path.removeprefix("metadata.annotations."), None)
            elif path not in ("metadata.resourceVersion", "metadata.uid"):
                put(found, f"{path}={value}")
        found.metadata.resourceVersion = str(next(self._numbers))


def leaves(body: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the paths of a merge patch with what each is set to."""
    found: list[tuple[str, Any]] = []
    for name, value in body.items():
        found += leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return found
