"""ValidatingWebhookConfiguration and MutatingWebhookConfiguration: whom to ask about which requests.

What was stored before a rule came may stay as it is: an update is held only to the rules that the stored object keeps.

Source: Kubernetes `pkg/apis/admissionregistration/validation`.
"""
from __future__ import annotations

from typing import Any, Final, NamedTuple

from kcore.machinery import cel, labels, names
from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.admissionregistration import match
from kcore.machinery.kinds.admissionregistration.webhook_client import validate_client_config
from kcore.machinery.kinds.rules import KindRules, Object

REVIEW_VERSIONS: Final = ("v1", "v1beta1")
NO_SIDE_EFFECTS: Final = ("None", "NoneOnDryRun")
SIDE_EFFECTS: Final = ("None", "NoneOnDryRun", "Some", "Unknown")

_REINVOCATIONS: Final = ("IfNeeded", "Never")
_SEGMENTS_MIN: Final = 3


class _Held(NamedTuple):
    """The rules that an update is held to."""

    effects: tuple[str, ...] = NO_SIDE_EFFECTS
    known_version: bool = True
    unique_names: bool = True
    conditions: bool = True


def _hooks(value: Object) -> list[dict[str, Any]]:
    return [hook or {} for hook in value.get("webhooks") or ()]


def validate_configuration(value: Object) -> list[FieldError]:
    """Check every webhook."""
    return _validate(value, _Held())


def validate_configuration_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update, by the rules that the stored object keeps."""
    stored = _hooks(old)
    taken = [hook.get("name") for hook in stored]
    same = [hook.get("matchConditions") or None for hook in _hooks(new)] == [hook.get("matchConditions") or None for hook in stored]
    return _validate(new, _Held(
        NO_SIDE_EFFECTS if all(hook.get("sideEffects") in NO_SIDE_EFFECTS for hook in stored) else SIDE_EFFECTS,
        all(set(hook.get("admissionReviewVersions") or ()) & set(REVIEW_VERSIONS) for hook in stored),
        len(set(taken)) == len(taken), not same,
    ))


def _validate(value: Object, held: _Held) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, hook in enumerate(_hooks(value)):
        path, name = f"webhooks[{index}]", hook.get("name") or ""
        _validate_hook(hook, held, path, errors)
        _validate_versions(hook.get("admissionReviewVersions") or [], held, f"{path}.admissionReviewVersions", errors)
        if held.unique_names and name and name in seen:
            errors.append(fe.duplicate(f"{path}.name", name))
        seen.add(name)
    return errors


def _validate_hook(hook: dict[str, Any], held: _Held, path: str, errors: list[FieldError]) -> None:
    _validate_name(hook.get("name") or "", f"{path}.name", errors)
    for index, rule in enumerate(hook.get("rules") or ()):
        match.validate_rule(rule or {}, f"{path}.rules[{index}]", errors)
    match.validate_choice(hook.get("failurePolicy"), match.FAILURE_POLICIES, f"{path}.failurePolicy", errors)
    match.validate_choice(hook.get("matchPolicy"), match.MATCH_POLICIES, f"{path}.matchPolicy", errors)
    effects = hook.get("sideEffects")
    if effects is None:
        errors.append(fe.required(f"{path}.sideEffects", f"must specify one of {', '.join(held.effects)}"))
    match.validate_choice(effects, held.effects, f"{path}.sideEffects", errors)
    timeout = hook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= 30:
        errors.append(fe.invalid(f"{path}.timeoutSeconds", timeout, "the timeout value must be between 1 and 30 seconds"))
    for field in ("namespaceSelector", "objectSelector"):
        labels.validate_message(hook.get(field), f"{path}.{field}", errors)
    match.validate_choice(hook.get("reinvocationPolicy"), _REINVOCATIONS, f"{path}.reinvocationPolicy", errors)
    validate_client_config(hook.get("clientConfig") or {}, f"{path}.clientConfig", errors)
    if held.conditions:
        match.validate_conditions(hook.get("matchConditions") or (), cel.admission(), f"{path}.matchConditions", errors)


def _validate_name(name: str, path: str, errors: list[FieldError]) -> None:
    wrong = names.dns1123_subdomain(name)
    if not name:
        errors.append(fe.required(path))
    elif wrong:
        errors.append(fe.invalid(path, name, ",".join(wrong)))
    elif name.count(".") < _SEGMENTS_MIN - 1:
        errors.append(fe.invalid(path, name, "should be a domain with at least three segments separated by dots"))


def _validate_versions(versions: list[str], held: _Held, path: str, errors: list[FieldError]) -> None:
    if not versions:
        errors.append(fe.required(path, f"must specify one of {', '.join(REVIEW_VERSIONS)}"))
        return
    seen: set[str] = set()
    for index, version in enumerate(versions):
        if version in seen:
            errors.append(fe.invalid(f"{path}[{index}]", version, "duplicate version"))
        else:
            errors.extend(fe.invalid(f"{path}[{index}]", version, sentence) for sentence in names.dns1035_label(version))
        seen.add(version)
    if held.known_version and not seen & set(REVIEW_VERSIONS):
        errors.append(fe.invalid(path, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))


RULES: Final = KindRules(
    validate=validate_configuration, validate_update=validate_configuration_update, own_finalizers=False, allow_unconditional_update=False,
)
