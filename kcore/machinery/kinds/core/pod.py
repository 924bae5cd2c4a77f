"""Pod: what the registry asks of the kind when it is created and updated.

The functions work in place on dicts in JSON form. Metadata is checked by the caller before; defaults that options can say are set before
`default`.

Source: Kubernetes `pkg/registry/core/pod/strategy.go`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, forbidden
from kcore.machinery.kinds.core import pod_annotations, pod_features, pod_status, pod_subresources, pod_update
from kcore.machinery.kinds.core.affinity import PREFERRED, REQUIRED
from kcore.machinery.kinds.core.container import validate_image_padding
from kcore.machinery.kinds.core.pod_defaults import default_pod_resources, default_pod_spec
from kcore.machinery.kinds.core.pod_spec import STRICT, Leniency, validate_pod_spec
from kcore.machinery.kinds.core.pod_warnings import pod_warnings
from kcore.machinery.kinds.rules import PREPARING, KindRules

Json = Mapping[str, Any]
Object = dict[str, Any]

_NO_ANNOTATIONS: Final[Mapping[str, str]] = {}


def default(pod: Object) -> None:
    """Set the defaults that depend on something."""
    default_pod_spec(pod.setdefault("spec", {}))


def prepare_create(pod: Object, features: Features = NO_FEATURES) -> None:
    """Give a new pod its status and generation, and merge label keys into its selectors."""
    metadata, spec = pod.setdefault("metadata", {}), pod.setdefault("spec", {})
    metadata["generation"] = 1
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    if spec.get("resources"):
        default_pod_resources(spec)
    pod["status"] = pod_status.initial_status(pod)
    pod_features.drop_disabled(spec, features=features)
    if metadata.get("annotations"):
        pod_annotations.sync_apparmor(metadata["annotations"], spec)
    if spec.get("affinity"):
        _merge_affinity_keys(spec["affinity"], metadata.get("labels") or {})
    for constraint in spec.get("topologySpreadConstraints") or ():
        if constraint.get("matchLabelKeys"):
            _merge_keys(constraint, "matchLabelKeys", "In", metadata.get("labels") or {})


def prepare_update(new: Object, old: Json, features: Features = NO_FEATURES) -> None:
    """Keep the status, and raise the generation if the spec changes."""
    new["status"] = old.get("status")
    _keep_pod_resources(new, old)
    pod_features.drop_disabled(new.setdefault("spec", {}), old.get("spec"), features)
    _raise_generation(new, old)


def prepare_status_update(new: Object, old: Json) -> None:
    """Keep everything but the status, labels, annotations and finalizers."""
    pod_status.keep_on_status_update(new, old)


def prepare_ephemeral_containers_update(new: Object, old: Json) -> None:
    """Keep everything but the ephemeral containers."""
    pod_subresources.keep_on_ephemeral_update(new, old)
    _raise_generation(new, old)


def _keep_pod_resources(new: Object, old: Json) -> None:
    """What a whole pod has stays where a client does not know of it."""
    stored, spec = (old.get("spec") or {}).get("resources"), new.setdefault("spec", {})
    if stored is not None and spec.get("resources") is None:
        spec["resources"] = stored


def prepare_resize(new: Object, old: Json) -> None:
    """Keep everything but resources and resize policies."""
    pod_subresources.keep_on_resize(new, old)
    _keep_pod_resources(new, old)
    if new["spec"].get("resources"):
        default_pod_resources(new["spec"])
    _raise_generation(new, old)


def validate(pod: Json) -> list[FieldError]:
    """Check a new pod."""
    errors: list[FieldError] = []
    _validate_object(pod, errors, STRICT)
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        errors.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    annotations = (pod.get("metadata") or {}).get("annotations")
    if annotations:
        pod_annotations.validate_annotations_match(annotations, spec, "spec", errors)
    return errors


def validate_update(new: Json, old: Json) -> list[FieldError]:
    """Check an update of a pod."""
    errors: list[FieldError] = []
    _validate_changed_object(new, old, errors)
    pod_update.validate_spec_update(new.get("spec") or {}, old.get("spec") or {}, errors)
    # Rules of a new pod and of a changed one overlap; what both find is said once.
    return list({(error.reason, error.field, error.body): error for error in errors}.values())


def validate_status_update(new: Json, old: Json) -> list[FieldError]:
    """Check an update of a pod's status."""
    errors: list[FieldError] = []
    _validate_annotation_changes(new, old, errors)
    pod_status.validate_status(new, old, errors)
    return errors


def validate_ephemeral_containers_update(new: Json, old: Json) -> list[FieldError]:
    """Check an update of a pod's ephemeral containers."""
    errors: list[FieldError] = []
    _validate_changed_object(new, old, errors)
    pod_subresources.validate_ephemeral_update(new, old, errors)
    return errors


def validate_resize(new: Json, old: Json) -> list[FieldError]:
    """Check a change of a pod's resources."""
    errors: list[FieldError] = []
    _validate_object(new, errors, _leniency_of(old))
    pod_subresources.validate_resize(new, old, errors)
    return errors


def alike(pod: Json) -> bool:
    """Say whether the name decides nothing: only claims of ephemeral volumes are named after the pod."""
    return not any("ephemeral" in volume for volume in pod["spec"].get("volumes") or ())


def warnings(pod: Json, old: Json | None = None) -> list[str]:
    """Warn of what is legal but doubtful, on create only: updates of pods are too frequent."""
    if old is not None:
        return []
    metadata = pod.get("metadata") or {}
    name = metadata.get("name") or ""
    found = []
    if not names.fits_dns1123_label(name):
        sentences = " ".join(names.dns1123_label(name))
        hint = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
        found.append(f"metadata.name: {hint}: [{sentences}]")
    return found + pod_warnings(pod.get("spec") or {}, metadata)


def status_warnings(pod: Json) -> list[str]:
    """Warn of doubtful addresses in a status update."""
    return pod_status.status_warnings(pod)


def _validate_object(pod: Json, errors: list[FieldError], lenient: Leniency) -> None:
    """Apply the rules that new and updated pods have in common."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    annotations = metadata.get("annotations")
    if annotations:
        pod_annotations.validate_annotations(annotations, spec, "metadata.annotations", errors)
    validate_pod_spec(spec, "spec", errors, pod_name=metadata.get("name") or "", is_pod=True, lenient=lenient)
    if not spec.get("serviceAccountName") and spec.get("volumes"):
        _refuse_tokens(spec["volumes"], errors)
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            image = container.get("image")
            if image and (image[0].isspace() or image[-1].isspace()):
                validate_image_padding(container, f"spec.{kind}[{index}]", errors)


def _validate_changed_object(new: Json, old: Json, errors: list[FieldError]) -> None:
    # A spec that is the stored one was checked when it was stored, by the rules of its time.
    if new.get("spec") != old.get("spec"):
        _validate_object(new, errors, _leniency_of(old))
    _validate_annotation_changes(new, old, errors)


def _validate_annotation_changes(new: Json, old: Json, errors: list[FieldError]) -> None:
    after = (new.get("metadata") or {}).get("annotations") or _NO_ANNOTATIONS
    before = (old.get("metadata") or {}).get("annotations") or _NO_ANNOTATIONS
    if after or before:
        pod_annotations.validate_annotation_changes(after, before, "metadata.annotations", errors)
        pod_annotations.validate_annotations(after, new.get("spec") or {}, "metadata.annotations", errors)


def _leniency_of(old: Json) -> Leniency:
    """Find out which rules a stored pod breaks already; an update may go on doing so."""
    spec = old.get("spec") or {}
    errors: list[FieldError] = []
    validate_pod_spec(spec, "spec", errors, is_pod=True)
    if not errors:
        return STRICT
    addresses = {alias.get("ip") or "" for alias in spec.get("hostAliases") or ()}
    addresses.update((spec.get("dnsConfig") or {}).get("nameservers") or ())
    paths = [error.field for error in errors]
    return Leniency(
        label_values=any(path.startswith("spec.affinity.") and ".values[" in path for path in paths),
        spread_selectors=any(path.startswith("spec.topologySpreadConstraints") and ".labelSelector" in path for path in paths),
        host_sysctls=any(path.startswith("spec.securityContext.sysctls") for path in paths),
        stored_ips=frozenset(addresses),
    )


def _refuse_tokens(volumes: list[Any], errors: list[FieldError]) -> None:
    for index, volume in enumerate(volumes):
        for place, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                at = f"spec.volumes[{index}].projected.sources[{place}].serviceAccountToken"
                errors.append(forbidden(at, "must not be specified when serviceAccountName is not set"))


def _merge_affinity_keys(affinity: Json, labels: Mapping[str, str]) -> None:
    for kind in ("podAffinity", "podAntiAffinity"):
        part = affinity.get(kind) or {}
        terms = [item.get("podAffinityTerm") or {} for item in part.get(PREFERRED) or ()] + list(part.get(REQUIRED) or ())
        for term in terms:
            _merge_keys(term, "matchLabelKeys", "In", labels)
            _merge_keys(term, "mismatchLabelKeys", "NotIn", labels)


def _merge_keys(holder: Json, field: str, operator: str, labels: Mapping[str, str]) -> None:
    """Add a requirement to a selector for each key that the pod has a label for; without a selector nothing matches anyway."""
    selector = holder.get("labelSelector")
    if selector is None:
        return
    added = [{"key": key, "operator": operator, "values": [labels[key]]} for key in holder.get(field) or () if key in labels]
    if added:
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *added]


def _raise_generation(new: Object, old: Json) -> None:
    """Count the specs that a pod has had: the stored generation, and one more if the specs differ."""
    changed = not pod_update.same_spec(new.get("spec") or {}, old.get("spec") or {})
    generation = ((old.get("metadata") or {}).get("generation") or 0) + changed
    if generation:
        new.setdefault("metadata", {})["generation"] = generation


RULES: Final = KindRules(
    default=default, validate=validate, validate_update=validate_update, validate_status_update=validate_status_update,
    prepare_create=prepare_create, prepare_update=prepare_update, prepare_status_update=prepare_status_update, warnings=warnings,
    graceful=True, alike=alike, alone=frozenset(("conditions", "nominatedNodeName")), gated=PREPARING,
)
