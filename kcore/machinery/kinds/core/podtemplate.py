"""PodTemplate, and the templates that workloads hold.

Source: Kubernetes `pkg/registry/core/podtemplate/strategy.go`, `pkg/apis/core/validation`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery.field_error import FieldError, forbidden
from kcore.machinery.kinds.core import pod_annotations, pod_features
from kcore.machinery.kinds.core.pod_defaults import default_template_spec
from kcore.machinery.kinds.core.pod_spec import STRICT, Leniency, validate_pod_spec
from kcore.machinery.kinds.core.pod_update import same_template
from kcore.machinery.kinds.core.pod_warnings import pod_warnings
from kcore.machinery.kinds.rules import PREPARING, KindRules
from kcore.machinery.labels import validate_labels
from kcore.machinery.meta import validate_annotations

Json = Mapping[str, Any]
Object = dict[str, Any]


def default_template(template: Object) -> None:
    """Set the defaults of a template that depend on something, in place."""
    default_template_spec(template.setdefault("spec", {}))


def validate_template(template: Json, path: str, errors: list[FieldError], lenient: Leniency = STRICT) -> None:
    """Check a template; `path` is that of the template."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    if metadata.get("labels"):
        validate_labels(metadata["labels"], f"{path}.labels", errors)
    annotations = metadata.get("annotations")
    if annotations:
        validate_annotations(annotations, f"{path}.annotations", errors)
        pod_annotations.validate_annotations(annotations, spec, f"{path}.annotations", errors)
    validate_pod_spec(spec, f"{path}.spec", errors, lenient=lenient)
    if annotations:
        pod_annotations.validate_annotations_match(annotations, spec, f"{path}.spec", errors)
    if spec.get("ephemeralContainers"):
        errors.append(forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))


def drop_disabled(template: Object, stored: Json | None = None, features: Features = NO_FEATURES) -> None:
    """Remove the fields of features that are off, in place."""
    pod_features.drop_disabled(template.setdefault("spec", {}), (stored or {}).get("spec"), features)


def template_warnings(template: Json, path: str) -> list[str]:
    """Warn of what is legal but doubtful in a template; `path` is that of the template."""
    return pod_warnings(template.get("spec") or {}, template.get("metadata") or {}, f"{path}.")


def default(pod_template: Object) -> None:
    """Set the defaults that depend on something."""
    default_template(pod_template.setdefault("template", {}))


def prepare_create(pod_template: Object, features: Features = NO_FEATURES) -> None:
    """Start the generation."""
    pod_template.setdefault("metadata", {})["generation"] = 1
    drop_disabled(pod_template.setdefault("template", {}), features=features)


def prepare_update(new: Object, old: Json, features: Features = NO_FEATURES) -> None:
    """Raise the generation if the template changes."""
    drop_disabled(new.setdefault("template", {}), old.get("template"), features)
    generation = ((old.get("metadata") or {}).get("generation") or 0) + (not same_template(new["template"], old.get("template") or {}))
    if generation:
        new.setdefault("metadata", {})["generation"] = generation


def validate(pod_template: Json) -> list[FieldError]:
    """Check a new PodTemplate."""
    errors: list[FieldError] = []
    validate_template(pod_template.get("template") or {}, "template", errors)
    return errors


def validate_update(new: Json, _old: Json) -> list[FieldError]:
    """Check an update, which may change everything."""
    return validate(new)


def warnings(pod_template: Json, old: Json | None = None) -> list[str]:
    """Warn of what is legal but doubtful, unless an update leaves the template as it was."""
    if old is not None and pod_template.get("template") == old.get("template"):
        return []
    return template_warnings(pod_template.get("template") or {}, "template")


RULES: Final = KindRules(
    default=default, validate=validate, validate_update=validate_update, prepare_create=prepare_create, prepare_update=prepare_update,
    warnings=warnings, gated=PREPARING,
)
