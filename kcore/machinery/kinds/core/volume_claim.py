"""Claims for persistent volumes, as a pod's ephemeral volume and a stateful set hold them in a template.

Source: Kubernetes `pkg/apis/core/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError, Rendered, forbidden, invalid, not_supported, required
from kcore.machinery.kinds.core.container_resources import validate_resource_quantity
from kcore.machinery.labels import validate_labels, validate_message
from kcore.machinery.meta import validate_annotations

Json = Mapping[str, Any]

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")
# What Kubernetes shows where it means the path of the field.
_A_PATH: Final = Rendered("{}")
# What the metadata of a template may not hold, in the order in which it is reported.
_NOT_IN_TEMPLATE: Final = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "ownerReferences", "finalizers", "managedFields",
)


def validate_claim_template(template: Json, path: str, errors: list[FieldError]) -> None:
    """Check the template of a claim: labels, annotations and the spec, nothing else."""
    validate_template_metadata(template.get("metadata") or {}, f"{path}.metadata", errors)
    validate_claim_spec(template.get("spec") or {}, f"{path}.spec", errors)


def validate_template_metadata(metadata: Json, path: str, errors: list[FieldError]) -> None:
    """Check the metadata of what others are made from: labels and annotations, nothing else."""
    validate_annotations(metadata.get("annotations"), f"{path}.annotations", errors)
    validate_labels(metadata.get("labels"), f"{path}.labels", errors)
    for field in _NOT_IN_TEMPLATE:
        if metadata.get(field):
            errors.append(forbidden(f"{path}.{'uID' if field == 'uid' else field}", "cannot be set"))


def validate_claim_spec(spec: Json, path: str, errors: list[FieldError]) -> None:
    """Check the spec of a claim."""
    modes = spec.get("accessModes") or ()
    if not modes:
        errors.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    if spec.get("selector") is not None:
        validate_message(spec["selector"], f"{path}.selector", errors)
    errors.extend(not_supported(f"{path}.accessModes", mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES and mode != "ReadWriteOncePod" for mode in modes):
        errors.append(forbidden(f"{path}.accessModes", "may not use ReadWriteOncePod with other access modes"))
    _validate_storage(((spec.get("resources") or {}).get("requests") or {}).get("storage"), f"{path}.resources[storage]", errors)
    _validate_class(spec.get("storageClassName"), f"{path}.storageClassName", errors)
    mode = spec.get("volumeMode")
    if mode is not None and mode not in VOLUME_MODES:
        errors.append(not_supported(f"{path}.volumeMode", mode, VOLUME_MODES))
    _validate_data_sources(spec, path, errors)
    _validate_class(spec.get("volumeAttributesClassName"), f"{path}.volumeAttributesClassName", errors)


def warn_claim_spec(spec: Json, path: str) -> list[str]:
    """Warn of parts of a byte."""
    warnings = []
    for field in ("requests", "limits"):
        text = ((spec.get("resources") or {}).get(field) or {}).get("storage")
        if text is not None and quantity.parse(text).milli_value() % 1000:
            sentence = f'fractional byte value "{quantity.canonical(text)}" is invalid, must be an integer'
            warnings.append(f"{path}.resources.{field}[storage]: {sentence}")
    return warnings


def _validate_storage(text: Any, path: str, errors: list[FieldError]) -> None:
    if text is None:
        errors.append(required(path))
    elif quantity.parse(text).nano <= 0:
        errors.append(invalid(path, quantity.canonical(text), "must be greater than zero"))
    else:
        validate_resource_quantity("storage", text, path, errors)


def _validate_class(name: str | None, path: str, errors: list[FieldError]) -> None:
    if name:
        errors.extend(invalid(path, name, sentence) for sentence in names.dns1123_subdomain(name))


def _validate_data_sources(spec: Json, path: str, errors: list[FieldError]) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        _validate_data_source(source, f"{path}.dataSource", errors)
    if reference is not None:
        _validate_data_source(reference, f"{path}.dataSourceRef", errors)
        namespace = reference.get("namespace")
        if namespace:
            errors.extend(invalid(f"{path}.dataSourceRef.namespace", namespace, sentence) for sentence in names.dns1123_label(namespace))
            if source is not None:
                errors.append(invalid(path, _A_PATH, "may not be specified when dataSourceRef.namespace is specified"))
        elif source is not None and any(source.get(field) != reference.get(field) for field in ("apiGroup", "kind", "name")):
            errors.append(invalid(path, _A_PATH, "must match dataSourceRef"))


def _validate_data_source(source: Json, path: str, errors: list[FieldError]) -> None:
    if not source.get("name"):
        errors.append(required(f"{path}.name"))
    kind, group = source.get("kind") or "", source.get("apiGroup") or ""
    if not kind:
        errors.append(required(f"{path}.kind"))
    if not group and kind != "PersistentVolumeClaim":
        errors.append(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if group:
        errors.extend(invalid(f"{path}.apiGroup", group, sentence) for sentence in names.dns1123_subdomain(group))
