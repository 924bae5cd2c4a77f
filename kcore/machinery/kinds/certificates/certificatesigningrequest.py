"""CertificateSigningRequest: what somebody asks a signer to sign; only its status changes, the approval through a door of its own.

Source: Kubernetes `pkg/apis/certificates/validation`, `pkg/registry/certificates/certificates/strategy.go`.
"""
from __future__ import annotations

from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.certificates import pem
from kcore.machinery.kinds.core.volume_projected import validate_signer_name
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec, keep_status
from kcore.machinery.names import path_name

EXPIRATION_S_MIN: Final = 600

APPROVED: Final = "Approved"
DENIED: Final = "Denied"
FAILED: Final = "Failed"
_LEGACY_SIGNER: Final = "kubernetes.io/legacy-unknown"
_STATUSES: Final = ("False", "True", "Unknown")
_USAGES: Final = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
    "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
    "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
)

Part = dict[str, Any]


def _conditions(value: Object) -> list[Part]:
    return [condition or {} for condition in (value.get("status") or {}).get("conditions") or ()]


def prepare_update(new: Object, old: Object) -> None:
    """Let an update change the metadata alone."""
    keep_status(new, old)
    new["spec"] = old.get("spec") or {}


def prepare_approval(new: Object, old: Object) -> None:
    """Let an approval change the conditions alone."""
    status = {name: part for name, part in (old.get("status") or {}).items() if name != "conditions"}
    conditions = (new.get("status") or {}).get("conditions")
    keep_spec(new, old)
    new["status"] = {"conditions": conditions, **status} if conditions else status


def date_conditions(new: Object, old: Object, now: str) -> None:
    """Say when conditions were written and reached, where their writer does not."""
    reached = {(each.get("type"), each.get("status")): each.get("lastTransitionTime") for each in reversed(_conditions(old))}
    for condition in (new.get("status") or {}).get("conditions") or ():
        if condition.get("lastUpdateTime") is None:
            condition["lastUpdateTime"] = now
        if condition.get("lastTransitionTime") is None:
            condition["lastTransitionTime"] = reached.get((condition.get("type"), condition.get("status"))) or now


def validate_request(value: Object) -> list[FieldError]:
    """Check a new request."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    wrong = pem.request_sentence(pem.decoded(spec.get("request")))
    if wrong:
        errors.append(fe.invalid("spec.request", spec.get("request"), wrong))
    _validate_usages(spec.get("usages") or (), "spec.usages", errors)
    signer = spec.get("signerName") or ""
    if signer == _LEGACY_SIGNER:
        errors.append(fe.invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version"))
    else:
        validate_signer_name(signer, "spec.signerName", errors)
    expiration = spec.get("expirationSeconds")
    if expiration is not None and expiration < EXPIRATION_S_MIN:
        errors.append(fe.invalid("spec.expirationSeconds", expiration, "may not specify a duration less than 600 seconds (10 minutes)"))
    return errors


def _validate_usages(usages: Any, path: str, errors: list[FieldError]) -> None:
    if not usages:
        errors.append(fe.required(path))
    errors.extend(fe.not_supported(f"{path}[{index}]", usage, _USAGES) for index, usage in enumerate(usages) if usage not in _USAGES)
    seen: set[str] = set()
    for index, usage in enumerate(usages):
        if usage in seen:
            errors.append(fe.duplicate(f"{path}[{index}]", usage))
        seen.add(usage)


def _validate_conditions(value: Object, errors: list[FieldError]) -> None:
    seen: set[str] = set()
    for index, condition in enumerate(_conditions(value)):
        path, kind, status = f"status.conditions[{index}]", condition.get("type") or "", condition.get("status") or ""
        statuses = ("True",) if kind in (APPROVED, DENIED, FAILED) else _STATUSES
        if not kind:
            errors.append(fe.required(f"{path}.type"))
        if not status:
            errors.append(fe.required(f"{path}.status"))
        elif status not in statuses:
            errors.append(fe.not_supported(f"{path}.status", status, statuses))
        if kind in seen:
            errors.append(fe.duplicate(f"{path}.type", kind))
        seen.add(kind)
    if {APPROVED, DENIED} <= seen:
        given = [f'conditions[{{"type": "{kind}"}}]' for kind in (APPROVED, DENIED)]
        detail = f"must specify at most one of: {', '.join(f'`{each}`' for each in given)}"
        errors.append(fe.invalid("status.conditions", "{" + ", ".join(given) + "}", detail))


def _validate_transition(new: Object, old: Object, approving: bool) -> list[FieldError]:
    """Check what became of conditions and certificate."""
    errors: list[FieldError] = []
    _validate_conditions(new, errors)
    before, after = ([each.get("type") for each in _conditions(value)] for value in (old, new))
    for kind in (APPROVED, DENIED, FAILED):
        if after.count(kind) < before.count(kind):
            errors.append(fe.forbidden("status.conditions", f'updates may not remove a condition of type "{kind}"'))
    for kind in () if approving else (APPROVED, DENIED):
        if after.count(kind) > before.count(kind):
            errors.append(fe.forbidden("status.conditions", f'updates may not add a condition of type "{kind}"'))
    return errors


def validate_approval_update(new: Object, old: Object) -> list[FieldError]:
    """Check an approval or a denial."""
    return _validate_transition(new, old, approving=True)


def validate_status_update(new: Object, old: Object) -> list[FieldError]:
    """Check what a signer did: it sets the certificate once."""
    errors = _validate_transition(new, old, approving=False)
    fresh, stored = ((value.get("status") or {}).get("certificate") or "" for value in (new, old))
    if fresh and fresh != stored:
        wrong = pem.chain_sentence(pem.decoded(fresh))
        if wrong:
            errors.append(fe.invalid("status.certificate", "<certificate data>", wrong))
    if stored and fresh != stored:
        errors.append(fe.forbidden("status.certificate", "updates may not modify existing certificate content"))
    return errors


RULES: Final = KindRules(
    validate=validate_request, validate_status_update=validate_status_update, prepare_update=prepare_update, name_validator=path_name,
)
