"""Namespace: its own finalizers, its phase, and the label that carries its name.

Source: Kubernetes `pkg/apis/core/validation`, `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/namespace`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec, keep_status
from kcore.machinery.meta import FINALIZER_KUBERNETES, validate_own_finalizers

NAME_LABEL: Final = "kubernetes.io/metadata.name"
ACTIVE: Final = "Active"
TERMINATING: Final = "Terminating"


def default_namespace(value: Object) -> None:
    """Label the namespace with its name, where it has one."""
    found = meta.metadata(value)
    if found.get("name"):
        found["labels"] = {**(found.get("labels") or {}), NAME_LABEL: found["name"]}


def prepare_create(value: Object) -> None:
    """Start active, with the finalizer that lets the content go first."""
    default_namespace(value)
    value["status"] = {"phase": ACTIVE}
    spec = value.setdefault("spec", {})
    finalizers = spec.get("finalizers") or []
    if FINALIZER_KUBERNETES not in finalizers:
        finalizers = [*finalizers, FINALIZER_KUBERNETES]
    spec["finalizers"] = finalizers


def prepare_update(new: Object, old: Object) -> None:
    """Keep finalizers and status, which have their own subresources."""
    keep_spec(new, old)
    keep_status(new, old)


def prepare_finalize(new: Object, old: Object) -> None:
    """Take only the finalizers of a `finalize` update."""
    keep_status(new, old)


def validate_namespace(value: Object) -> list[FieldError]:
    """Check the namespace's finalizers."""
    errors: list[FieldError] = []
    for finalizer in (value.get("spec") or {}).get("finalizers") or ():
        _validate_finalizer(finalizer, "spec.finalizers", errors)
    return errors


def _validate_finalizer(finalizer: str, path: str, errors: list[FieldError]) -> None:
    errors.extend(fe.invalid(path, finalizer, sentence) for sentence in names.qualified_name(finalizer))
    own: list[FieldError] = []
    validate_own_finalizers((finalizer,), path, own)
    errors.extend(fe.FieldError(error.reason, path, error.body) for error in own)


def validate_status_update(new: Object, _old: Object) -> list[FieldError]:
    """Let the phase follow from whether the namespace is being deleted."""
    phase = (new.get("status") or {}).get("phase") or ""
    if not meta.deletion_timestamp(new):
        if phase != ACTIVE:
            return [fe.invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")]
    elif phase != TERMINATING:
        return [fe.invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    return []


def validate_finalize(new: Object, _old: Object) -> list[FieldError]:
    """Check a `finalize` update."""
    errors: list[FieldError] = []
    for index, finalizer in enumerate((new.get("spec") or {}).get("finalizers") or ()):
        _validate_finalizer(finalizer, f"spec.finalizers[{index}]", errors)
    return errors


RULES: Final = KindRules(
    default=default_namespace, validate=validate_namespace, validate_status_update=validate_status_update,
    prepare_create=prepare_create, prepare_update=prepare_update, name_validator=names.label_name,
)
