"""What an update may change of a pod: images, the deadline, tolerations, gates; while gated also node selector and affinity.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError, forbidden, invalid, required
from kcore.machinery.kinds.core.affinity import REQUIRED, validate_tolerations
from kcore.machinery.kinds.core.container import validate_image_padding
from kcore.machinery.kinds.core.pod_printed import diff, printed, printed_list, same
from kcore.machinery.kinds.core.pod_spec import ACTIVE_DEADLINE_S_MAX

Json = Mapping[str, Any]

UPDATABLE: Final = (
    "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def same_spec(new: Json, old: Json) -> bool:
    """Say whether two specs mean the same."""
    return same("PodSpec", old, new)


def same_template(new: Json, old: Json) -> bool:
    """Say whether two templates mean the same."""
    return same("PodTemplateSpec", old, new)


def validate_spec_update(new: Json, old: Json, errors: list[FieldError]) -> None:
    """Check the changes between two specs of a pod."""
    for kind in ("containers", "initContainers"):
        before, after = old.get(kind) or (), new.get(kind) or ()
        if len(before) != len(after):
            errors.append(forbidden(f"spec.{kind}", "pod updates may not add or remove containers"))
            return
        for index, container in enumerate(after):
            if not container.get("image"):
                errors.append(required(f"spec.{kind}[{index}].image"))
            validate_image_padding(container, f"spec.{kind}[{index}]", errors)
    if not _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"), errors):
        return
    _validate_added_tolerations(new.get("tolerations") or [], old.get("tolerations") or [], errors)
    _validate_removed_gates(new.get("schedulingGates") or (), old.get("schedulingGates") or (), errors)
    if new == old:
        return
    munged = _with_allowed_undone(new, old)
    if old.get("schedulingGates"):
        _undo_gated_changes(munged, old, errors)
    if not same("PodSpec", old, munged):
        detail = f"pod updates may not change fields other than {','.join(UPDATABLE)}\n{diff('PodSpec', old, munged)}"
        errors.append(forbidden("spec", detail))


def _validate_deadline(new: int | None, old: int | None, errors: list[FieldError]) -> bool:
    """Check the deadline, which may be set once and then only lowered; Returns whether to go on."""
    path = "spec.activeDeadlineSeconds"
    if new is None:
        if old is not None:
            errors.append(invalid(path, None, "must not update from a positive integer to nil value"))
        return True
    if not 0 <= new <= ACTIVE_DEADLINE_S_MAX:
        errors.append(invalid(path, new, names.between(0, ACTIVE_DEADLINE_S_MAX)))
        return False
    if old is not None and old < new:
        errors.append(invalid(path, new, "must be less than or equal to previous value"))
        return False
    return True


def _validate_added_tolerations(new: list[Any], old: list[Any], errors: list[FieldError]) -> None:
    if new == old:
        validate_tolerations(new, "spec.tolerations", errors)
        return
    kept = {_toleration_key(toleration) for toleration in new}
    if any(_toleration_key(toleration) not in kept for toleration in old):
        errors.append(forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"))
        return
    validate_tolerations(new, "spec.tolerations", errors)


def _toleration_key(toleration: Json) -> tuple[str, ...]:
    return tuple(toleration.get(field) or "" for field in ("key", "operator", "value", "effect"))


def _validate_removed_gates(new: Any, old: Any, errors: list[FieldError]) -> None:
    known = {gate.get("name") or "" for gate in old}
    last = {gate.get("name") or "": index for index, gate in enumerate(new)}
    for name, index in last.items():
        if name not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{name}'"
            errors.append(forbidden(f"spec.schedulingGates[{index}].name", detail))


def _with_allowed_undone(new: Json, old: Json) -> dict[str, Any]:
    """Copy the new spec with the old values of everything that may change: what still differs is forbidden."""
    munged = dict(new)
    for kind in ("containers", "initContainers"):
        pairs = zip(new.get(kind) or (), old.get(kind) or (), strict=True)
        munged[kind] = [{**after, "image": before.get("image")} for after, before in pairs] or None
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        munged[field] = old.get(field)
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    return munged


def _undo_gated_changes(munged: dict[str, Any], old: Json, errors: list[FieldError]) -> None:
    before, after = old.get("nodeSelector") or {}, munged.get("nodeSelector") or {}
    if before != after:
        if any(after.get(key) != value for key, value in before.items()):
            detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            errors.append(invalid("spec.nodeSelector", munged.get("nodeSelector"), detail))
        munged["nodeSelector"] = old.get("nodeSelector")
    old_affinity, new_affinity = old.get("affinity"), munged.get("affinity")
    old_node, new_node = (old_affinity or {}).get("nodeAffinity"), (new_affinity or {}).get("nodeAffinity")
    if old_node == new_node:
        return
    _validate_narrowed(new_node or {}, old_node or {}, errors)
    rest = {key: part for key, part in (new_affinity or {}).items() if key != "nodeAffinity" and part is not None}
    if old_node is not None:
        munged["affinity"] = {**rest, "nodeAffinity": old_node}
    elif old_affinity is None and not rest:
        munged["affinity"] = None
    else:
        munged["affinity"] = rest


def _validate_narrowed(new: Json, old: Json, errors: list[FieldError]) -> None:
    """Check that a gated pod's required node affinity only got stricter."""
    path = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
    old_terms = (old.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    new_terms = (new.get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    if not old_terms:
        return
    if len(old_terms) != len(new_terms):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        errors.append(invalid(path, printed_list("NodeTerm", new_terms), detail))
        return
    for index, (after, before) in enumerate(zip(new_terms, old_terms, strict=True)):
        if not _only_adds(after, before):
            detail = "only additions are allowed (no mutations or deletions)"
            errors.append(invalid(f"{path}[{index}]", printed("NodeTerm", after), detail))


def _only_adds(new: Json, old: Json) -> bool:
    if not old.get("matchExpressions") and not old.get("matchFields"):
        return not new.get("matchExpressions") and not new.get("matchFields")
    for field in ("matchExpressions", "matchFields"):
        before, after = old.get(field) or [], new.get(field) or []
        if not same("NodeTerm", {field: before}, {field: after[:len(before)]}):
            return False
    return True
