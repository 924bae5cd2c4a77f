"""ClusterTrustBundle: trust anchors, of a signer or of nobody in particular.

Source: Kubernetes `pkg/apis/certificates/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds.certificates import pem
from kcore.machinery.kinds.core.volume_projected import validate_signer_name
from kcore.machinery.kinds.rules import KindRules, Object, keep_all, nothing

_OMITTED: Final = "<value omitted>"
BUNDLE_SIZE_MAX: Final = 1 << 20


def validate_bundle(value: Object) -> list[FieldError]:
    """Check name, signer and anchors."""
    errors: list[FieldError] = []
    spec = value.get("spec") or {}
    signer = spec.get("signerName") or ""
    name = meta.name(value)
    errors.extend(fe.invalid("metadata.name", name, sentence) for sentence in _name_sentences(name, signer) if name)
    if signer:
        validate_signer_name(signer, "spec.signerName", errors)
    _validate_anchors(spec.get("trustBundle") or "", "spec.trustBundle", errors)
    return errors


def _name_sentences(name: str, signer: str) -> names.Sentences:
    if not signer:
        if ":" in name:
            return ('ClusterTrustBundle without signer name must not have ":" in its name',)
        return names.dns1123_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return (f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}",)
    return names.dns1123_subdomain(name.removeprefix(prefix))


def _validate_anchors(text: str, path: str, errors: list[FieldError]) -> None:
    if len(text.encode()) > BUNDLE_SIZE_MAX:
        errors.append(fe.too_long(path, BUNDLE_SIZE_MAX))
        return
    found = pem.blocks(text.encode())
    seen: dict[bytes, list[int]] = {}
    for index, block in enumerate(found):
        if block.kind != "CERTIFICATE":
            errors.append(fe.invalid(path, _OMITTED, f"entry {index} has bad block type: {block.kind}"))
        elif block.headers:
            errors.append(fe.invalid(path, _OMITTED, f"entry {index} has PEM block headers"))
        elif not pem.is_certificate(block.content):
            errors.append(fe.invalid(path, _OMITTED, f"entry {index} does not parse as X.509"))
        else:
            seen.setdefault(block.content, []).append(index)
    for places in seen.values():
        if len(places) > 1:
            errors.append(fe.invalid(path, _OMITTED, f"duplicate trust anchor (indices [{' '.join(map(str, places))}])"))
    if not found:
        errors.append(fe.invalid(path, _OMITTED, "at least one trust anchor must be provided"))


def validate_bundle_update(new: Object, old: Object) -> list[FieldError]:
    """Check an update; the signer stays."""
    errors = validate_bundle(new)
    fresh, stored = ((value.get("spec") or {}).get("signerName") or "" for value in (new, old))
    if fresh != stored:
        errors.append(fe.immutable("spec.signerName", fresh))
    return errors


RULES: Final = KindRules(
    validate=validate_bundle, validate_update=validate_bundle_update, prepare_create=nothing, prepare_update=keep_all,
    name_validator=lambda _name, _prefix: names.FINE, allow_unconditional_update=False,
)
