"""The pods of a StatefulSet: each has an ordinal for life, and with it name, host name, labels and the claims that are its volumes.

    web, 3 replicas                 web-0  web-1  web-2
    ... with spec.ordinals.start 5  web-5  web-6  web-7

Names follow from ordinals alone: however often a pod is asked for, and by whomever, there is one.

Source: Kubernetes `pkg/controller/statefulset/stateful_set_utils.go`. Differs from upstream: `web-01` is no pod of `web`, so that no two
pods share an ordinal.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.api.core.v1.pod_pb2 import Pod
from kcore.base import limits
from kcore.client import kinds
from kcore.controllers import pod_template

STATEFULSETS: Final = kinds.resource("apps", "v1", "statefulsets")

POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
POD_INDEX: Final = "apps.kubernetes.io/pod-index"
REVISION: Final = "controller-revision-hash"
NO_ORDINAL: Final = -1


def ordinals(owner: Any) -> range:
    """Return the ordinals of the pods that a set asks for."""
    start: int = owner.spec.ordinals.start
    return range(start, start + owner.spec.replicas)


def pod_name(owner: Any, ordinal: int) -> str:
    """Return the name of the pod with an ordinal."""
    return f"{owner.metadata.name}-{ordinal}"


def ordinal_of(owner: Any, pod: Any) -> int:
    """Return a pod's ordinal; NO_ORDINAL if it is not named as a pod of the set is."""
    name: str = pod.metadata.name
    text = name.removeprefix(f"{owner.metadata.name}-")
    ordinal = int(text) if text.isascii() and text.isdigit() else NO_ORDINAL
    return ordinal if ordinal <= limits.ORDINAL_MAX and name == pod_name(owner, ordinal) else NO_ORDINAL


def revision_of(pod: Any) -> str:
    """Return the name of the revision that a pod was made from; empty if it does not say."""
    name: str = pod.metadata.labels.get(REVISION, "")
    return name


def new_pod(owner: Any, revision: str, ordinal: int) -> Pod:
    """Build the pod with an ordinal.

    owner     the set as it is, or was, at the revision
    revision  its name
    """
    pod = pod_template.new_pod(owner, STATEFULSETS, pod_name(owner, ordinal))
    pod.metadata.labels[REVISION] = revision
    pod.spec.hostname, pod.spec.subdomain = pod.metadata.name, owner.spec.serviceName
    _put_identity(owner, pod, ordinal)
    return pod


def has_identity(owner: Any, pod: Any, ordinal: int) -> bool:
    """Tell whether a pod is labelled with its name and has its claims."""
    if pod.metadata.labels.get(POD_NAME) != pod.metadata.name:
        return False
    claimed = {volume.name: volume.volumeSource.persistentVolumeClaim.claimName for volume in pod.spec.volumes}
    return all(claimed.get(template.metadata.name) == claim_name(owner, template, ordinal) for template in owner.spec.volumeClaimTemplates)


def with_identity(owner: Any, pod: Any, ordinal: int) -> Pod:
    """Return a copy of a pod that is labelled with its name and has its claims."""
    changed = Pod()
    changed.CopyFrom(pod)
    _put_identity(owner, changed, ordinal)
    return changed


def claim_name(owner: Any, template: Any, ordinal: int) -> str:
    """Return the name of the claim that the pod with an ordinal has from a template."""
    return f"{template.metadata.name}-{owner.metadata.name}-{ordinal}"


def _put_identity(owner: Any, pod: Pod, ordinal: int) -> None:
    """Label a pod and give it the volumes of its claims, which take the place of volumes of the same names."""
    pod.metadata.labels[POD_NAME], pod.metadata.labels[POD_INDEX] = pod.metadata.name, str(ordinal)
    templates = owner.spec.volumeClaimTemplates
    if not templates:
        return
    names = {template.metadata.name for template in templates}
    kept = [volume for volume in pod.spec.volumes if volume.name not in names]
    del pod.spec.volumes[:]
    for template in templates:
        source = pod.spec.volumes.add(name=template.metadata.name).volumeSource
        source.persistentVolumeClaim.claimName = claim_name(owner, template, ordinal)
    pod.spec.volumes.extend(kept)
