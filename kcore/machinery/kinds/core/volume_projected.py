"""Volumes whose files come from the API: secrets, ConfigMaps, the downward API, tokens, certificates, and projections of several of them.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from kcore.base.limits import PROJECTIONS_REMEMBERED_MAX
from kcore.machinery import names
from kcore.machinery.field_error import FieldError, forbidden, invalid, not_supported, required, too_long
from kcore.machinery.kinds.core.container_env import VOLUME_FIELD_PATHS, validate_object_field, validate_resource_field
from kcore.machinery.kinds.core.container_paths import validate_local_path
from kcore.machinery.kinds.core.container_security import ID_MAX
from kcore.machinery.kinds.core.pod_printed import printed
from kcore.machinery.labels import validate_message
from kcore.machinery.meta import ANNOTATIONS_SIZE_MAX

Json = Mapping[str, Any]
ProjectionRule = Callable[[Json, str, str, set[str], list[FieldError]], None]

FILE_MODE_MAX: Final = 0o777
TOKEN_SECONDS_MIN: Final = 600
TOKEN_SECONDS_MAX: Final = 2**32
CERTIFICATE_SECONDS_MIN: Final = 3600
CERTIFICATE_SECONDS_MAX: Final = 91 * 24 * 3600
OWN_CERTIFICATE_SECONDS_MAX: Final = 24 * 3600
SIGNER_PATH_SIZE_MAX: Final = names.DNS_SUBDOMAIN_SIZE_MAX + names.DNS_LABEL_SIZE_MAX + 1

_MODE_SENTENCE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
_KEY_TYPES: Final = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_DUPLICATE_PATHS: Final = "conflicting duplicate paths"


def validate_secret(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a volume of a Secret."""
    if not source.get("secretName"):
        errors.append(required(f"{path}.secretName"))
    _validate_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _validate_items(source, path, errors)


def validate_config_map(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a volume of a ConfigMap."""
    if not source.get("name"):
        errors.append(required(f"{path}.name"))
    _validate_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    _validate_items(source, path, errors)


def validate_downward_api(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a volume with fields of the pod."""
    _validate_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    for item in source.get("items") or ():
        _validate_downward_file(item, path, errors)


def validate_projected(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a volume made of several sources, whose files may not collide.

    Nearly every pod has one, that of its account's token, and nearly all of these are equal.
    """
    if not _is_well_formed(orjson.dumps(source)):
        _validate_sources(source, path, errors)


@lru_cache(PROJECTIONS_REMEMBERED_MAX)
def _is_well_formed(text: bytes) -> bool:
    """Whether nothing is wrong with a projection, given as JSON."""
    errors: list[FieldError] = []
    _validate_sources(orjson.loads(text), "", errors)
    return not errors


def _validate_sources(source: Json, path: str, errors: list[FieldError]) -> None:
    _validate_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    taken: set[str] = set()
    for index, item in enumerate(source.get("sources") or ()):
        at = f"{path}.sources[{index}]"
        count = 0
        for kind, rule in _PROJECTIONS.items():
            part = item.get(kind)
            if part is not None:
                count += 1
                rule(part, f"{at}.{kind}", path, taken, errors)
        if count > 1:
            errors.append(forbidden(at, "may not specify more than 1 volume type per source"))


def validate_signer_name(name: str, path: str, errors: list[FieldError]) -> None:
    """Check the name of a certificate signer, `example.com/purpose`."""
    if not name:
        errors.append(required(path))
        return
    segments = name.split("/")
    if len(segments) != 2:
        errors.append(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
        return
    domain, purpose = segments
    if len(domain.encode()) > names.DNS_SUBDOMAIN_SIZE_MAX:
        errors.append(too_long(path, names.DNS_SUBDOMAIN_SIZE_MAX))
    labels = domain.split(".")
    for label in labels:
        errors.extend(invalid(path, domain, f'validating label "{label}": {sentence}') for sentence in names.dns1123_label(label))
    if len(labels) < 2:
        errors.append(invalid(path, domain, "should be a domain with at least two segments separated by dots"))
    for label in purpose.split("."):
        errors.extend(invalid(path, purpose, f'validating label "{label}": {sentence}') for sentence in names.dns1123_subdomain(label))
    if len(purpose.encode()) > SIGNER_PATH_SIZE_MAX:
        errors.append(too_long(path, SIGNER_PATH_SIZE_MAX))


def _validate_mode(mode: int | None, path: str, errors: list[FieldError]) -> None:
    if mode is not None and not 0 <= mode <= FILE_MODE_MAX:
        errors.append(invalid(path, mode, _MODE_SENTENCE))


def _validate_items(source: Json, path: str, errors: list[FieldError]) -> None:
    for index, item in enumerate(source.get("items") or ()):
        _validate_key_to_path(item, f"{path}.items[{index}]", errors)


def _validate_key_to_path(item: Json, path: str, errors: list[FieldError]) -> None:
    if not item.get("key"):
        errors.append(required(f"{path}.key"))
    value = item.get("path") or ""
    if not value:
        errors.append(required(f"{path}.path"))
    validate_local_path(value, f"{path}.path", errors)
    _validate_mode(item.get("mode"), f"{path}.mode", errors)


def _validate_downward_file(item: Json, path: str, errors: list[FieldError]) -> None:
    value = item.get("path") or ""
    if not value:
        errors.append(required(f"{path}.path"))
    validate_local_path(value, f"{path}.path", errors)
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        validate_object_field(field, VOLUME_FIELD_PATHS, f"{path}.fieldRef", errors)
        if resource is not None:
            errors.append(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif resource is not None:
        validate_resource_field(resource, f"{path}.resourceFieldRef", errors, in_volume=True)
    else:
        errors.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    _validate_mode(item.get("mode"), f"{path}.mode", errors)


def _take(value: str, shown: str, taken: set[str], path: str, errors: list[FieldError]) -> None:
    if value in taken:
        errors.append(invalid(path, shown, _DUPLICATE_PATHS))
    taken.add(value)


def _project_keys(part: Json, path: str, volume_path: str, taken: set[str], errors: list[FieldError]) -> None:
    name = part.get("name") or ""
    if not name:
        errors.append(required(f"{path}.name"))
    for index, item in enumerate(part.get("items") or ()):
        _validate_key_to_path(item, f"{path}.items[{index}]", errors)
        if item.get("path"):
            _take(item["path"], name, taken, volume_path, errors)


def _project_downward(part: Json, path: str, volume_path: str, taken: set[str], errors: list[FieldError]) -> None:
    for item in part.get("items") or ():
        _validate_downward_file(item, path, errors)
        if item.get("path"):
            _take(item["path"], item["path"], taken, volume_path, errors)


def _project_token(part: Json, path: str, volume_path: str, _taken: set[str], errors: list[FieldError]) -> None:
    seconds = part.get("expirationSeconds") or 0
    if seconds < TOKEN_SECONDS_MIN:
        errors.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > TOKEN_SECONDS_MAX:
        errors.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    if not part.get("path"):
        errors.append(required(f"{volume_path}.path"))
    else:
        validate_local_path(part["path"], f"{volume_path}.path", errors)
    _validate_user(part, path, errors)


def _validate_user(part: Json, path: str, errors: list[FieldError]) -> None:
    user = part.get("user")
    if user is not None and not 0 <= user <= ID_MAX:
        errors.append(invalid(f"{path}.user", user, names.between(0, ID_MAX)))


def _project_trust_bundle(part: Json, path: str, volume_path: str, taken: set[str], errors: list[FieldError]) -> None:
    name, signer, selector = part.get("name"), part.get("signerName"), part.get("labelSelector")
    if name is not None and signer is not None:
        errors.append(invalid(path, printed("TrustBundle", part), "only one of name and signerName may be used"))
    elif name is not None:
        if not name:
            errors.append(required(f"{path}.name", "must be a valid object name"))
        for sentence in _trust_bundle_name_problems(name):
            errors.append(invalid(f"{path}.name", name, f"not a valid clustertrustbundlename: {sentence}"))
        if selector is not None:
            errors.append(invalid(f"{path}.labelSelector", selector, "labelSelector must be unset if name is specified"))
    elif signer is not None:
        if not signer:
            errors.append(required(f"{path}.signerName", "must be a valid signer name"))
        validate_signer_name(signer, f"{path}.signerName", errors)
        if selector is not None:
            validate_message(selector, f"{path}.labelSelector", errors)
    else:
        errors.append(required(path, "either name or signerName must be specified"))
    value = part.get("path") or ""
    if not value:
        errors.append(required(f"{path}.path"))
    _validate_user(part, path, errors)
    validate_local_path(value, f"{path}.path", errors)
    _take(value, value, taken, volume_path, errors)


def _trust_bundle_name_problems(name: str) -> tuple[str, ...]:
    """Check a ClusterTrustBundle's name: a subdomain, prefixed by its signer with colons for slashes where it has one."""
    signer, colon, rest = name.rpartition(":")
    if colon and not signer:
        return ('ClusterTrustBundle without signer name must not have ":" in its name',)
    return names.dns1123_subdomain(rest)


def _project_certificate(part: Json, path: str, volume_path: str, taken: set[str], errors: list[FieldError]) -> None:
    signer = part.get("signerName") or ""
    validate_signer_name(signer, f"{path}.signerName", errors)
    _validate_user_annotations(part.get("userAnnotations") or {}, f"{path}.userAnnotations", errors)
    _validate_user(part, path, errors)
    key_type, seconds = part.get("keyType") or "", part.get("maxExpirationSeconds")
    if key_type not in _KEY_TYPES:
        errors.append(not_supported(f"{path}.keyType", key_type, _KEY_TYPES))
    if seconds is not None:
        host = signer.partition("/")[0]
        seconds_max = OWN_CERTIFICATE_SECONDS_MAX if f".{host}".endswith(".kubernetes.io") else CERTIFICATE_SECONDS_MAX
        if seconds < CERTIFICATE_SECONDS_MIN:
            detail = f"if provided, maxExpirationSeconds must be >= {CERTIFICATE_SECONDS_MIN}"
            errors.append(invalid(f"{path}.maxExpirationSeconds", seconds, detail))
        if seconds > seconds_max:
            errors.append(invalid(f"{path}.maxExpirationSeconds", seconds, f"if provided, maxExpirationSeconds must be <= {seconds_max}"))
    found = False
    for field in ("credentialBundlePath", "keyPath", "certificateChainPath"):
        value = part.get(field)
        if value:
            found = True
            validate_local_path(value, f"{path}.{field}", errors)
            _take(value, value, taken, volume_path, errors)
    if not found:
        errors.append(required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"))


def _validate_user_annotations(annotations: Json, path: str, errors: list[FieldError]) -> None:
    for key in (name.lower() for name in sorted(annotations)):
        sentences = names.qualified_name(key) if key else ()
        if not key:
            errors.append(required(path))
        elif not sentences and "/" not in key:
            errors.append(invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")'))
        errors.extend(invalid(path, key, sentence) for sentence in sentences)
    if sum(len(part.encode()) for pair in annotations.items() for part in pair) > ANNOTATIONS_SIZE_MAX:
        errors.append(too_long(path, ANNOTATIONS_SIZE_MAX))


_PROJECTIONS: Final[Mapping[str, ProjectionRule]] = {
    "secret": _project_keys,
    "configMap": _project_keys,
    "downwardAPI": _project_downward,
    "serviceAccountToken": _project_token,
    "clusterTrustBundle": _project_trust_bundle,
    "podCertificate": _project_certificate,
}
