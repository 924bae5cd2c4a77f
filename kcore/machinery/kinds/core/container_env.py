"""Environment of a container: variables, their sources, and the downward API selectors that volumes share with them.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError, invalid, not_supported, required
from kcore.machinery.kinds.core.container_paths import validate_no_backsteps

Json = Mapping[str, Any]

# Field paths that an environment variable may read, and those that only a file may hold (whole maps).
ENV_FIELD_PATHS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)
VOLUME_FIELD_PATHS: Final = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_KNOWN_FIELD_PATHS: Final = frozenset((
    *ENV_FIELD_PATHS, *VOLUME_FIELD_PATHS, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host",
))
_RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)
_HUGE_PAGES_PREFIXES: Final = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS: Final = frozenset(("1m", "1"))
_BYTE_DIVISORS: Final = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_ONE_SOURCE: Final = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def validate_env(variables: list[Any], path: str, errors: list[FieldError]) -> None:
    """Check the variables of a container, in order."""
    for index, variable in enumerate(variables):
        name = variable.get("name")
        if not name:
            errors.append(required(f"{path}[{index}].name"))
        else:
            for sentence in names.env_var_name(name):
                errors.append(invalid(f"{path}[{index}].name", name, sentence))
        source = variable.get("valueFrom")
        if source is not None:
            _validate_value_from(source, variable.get("value"), f"{path}[{index}].valueFrom", errors)


def validate_env_from(sources: list[Any], path: str, errors: list[FieldError]) -> None:
    """Check the ConfigMaps and Secrets whose keys become variables."""
    for index, source in enumerate(sources):
        item = f"{path}[{index}]"
        prefix = source.get("prefix")
        if prefix:
            for sentence in names.env_var_name(prefix):
                errors.append(invalid(f"{item}.prefix", prefix, sentence))
        given = 0
        for kind in ("configMapRef", "secretRef"):
            reference = source.get(kind)
            if reference is not None:
                given += 1
                _validate_reference(reference, f"{item}.{kind}.name", errors)
        if not given:
            errors.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif given > 1:
            errors.append(invalid(path, "", "may not have more than one field specified at a time"))


def file_key_references(variables: list[Any]) -> list[tuple[int, Json]]:
    """List (index, selector) of the variables that are read from a file in a volume."""
    found = []
    for index, variable in enumerate(variables):
        selector = (variable.get("valueFrom") or {}).get("fileKeyRef")
        if selector is not None:
            found.append((index, selector))
    return found


def validate_object_field(selector: Json, allowed: tuple[str, ...], path: str, errors: list[FieldError]) -> None:
    """Check a downward API reference to a field of the pod; `allowed` are the paths without a subscript."""
    version, field_path = selector.get("apiVersion"), selector.get("fieldPath")
    if not version:
        errors.append(required(f"{path}.apiVersion"))
        return
    if not field_path:
        errors.append(required(f"{path}.fieldPath"))
        return
    base, subscript = _split_subscript(field_path)
    problem = _conversion_problem(version, field_path, base, subscript)
    if problem:
        errors.append(invalid(f"{path}.fieldPath", field_path, f"error converting fieldPath: {problem}"))
    elif subscript is not None:
        key = subscript.lower() if base == "metadata.annotations" else subscript
        for sentence in names.qualified_name(key):
            errors.append(invalid(path, key, sentence))
    else:
        internal = "spec.nodeName" if base == "spec.host" else base
        if internal not in allowed:
            errors.append(not_supported(f"{path}.fieldPath", internal, allowed))


def validate_resource_field(selector: Json, path: str, errors: list[FieldError], *, in_volume: bool) -> None:
    """Check a downward API reference to a resource of a container."""
    resource = selector.get("resource") or ""
    if in_volume and not selector.get("containerName"):
        errors.append(required(f"{path}.containerName"))
    elif not resource:
        errors.append(required(f"{path}.resource"))
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES_PREFIXES):
        errors.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    _validate_divisor(resource, selector.get("divisor"), f"{path}.divisor", errors)


def _validate_value_from(source: Json, value: Any, path: str, errors: list[FieldError]) -> None:
    given = [name for name in _SOURCES if source.get(name) is not None]
    for name in given:
        selector, at = source[name], f"{path}.{name}"
        if name == "fieldRef":
            validate_object_field(selector, ENV_FIELD_PATHS, at, errors)
        elif name == "resourceFieldRef":
            validate_resource_field(selector, at, errors, in_volume=False)
        elif name == "fileKeyRef":
            _validate_file_key(selector, at, errors)
        else:
            _validate_key_selector(selector, at, errors)
    if not given:
        errors.append(invalid(path, "", _ONE_SOURCE))
    elif value:
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))


def _validate_reference(reference: Json, path: str, errors: list[FieldError]) -> None:
    name = reference.get("name")
    if not name:
        errors.append(required(path))
        return
    # The name is checked as a prefix, which may end in a hyphen.
    for sentence in names.subdomain_name(name, True):
        errors.append(invalid(path, name, sentence))


def _validate_key_selector(selector: Json, path: str, errors: list[FieldError]) -> None:
    name, key = selector.get("name") or "", selector.get("key")
    for sentence in names.dns1123_subdomain(name):
        errors.append(invalid(f"{path}.name", name, sentence))
    if not key:
        errors.append(required(f"{path}.key"))
        return
    for sentence in names.config_key(key):
        errors.append(invalid(f"{path}.key", key, sentence))


def _validate_file_key(selector: Json, path: str, errors: list[FieldError]) -> None:
    key, volume, file_path = selector.get("key"), selector.get("volumeName"), selector.get("path")
    if not key:
        errors.append(required(f"{path}.key"))
    else:
        for sentence in names.env_var_name(key):
            errors.append(invalid(f"{path}.key", key, sentence))
    if not volume:
        errors.append(required(f"{path}.volumeName"))
    else:
        for sentence in names.dns1123_label(volume):
            errors.append(invalid(f"{path}.volumeName", volume, sentence))
    if not file_path:
        errors.append(required(f"{path}.path"))
    else:
        validate_no_backsteps(file_path, f"{path}.path", errors)


def _split_subscript(field_path: str) -> tuple[str, str | None]:
    """Split `metadata.labels['a']` into its path and key; without a subscript the key is None."""
    if field_path.endswith("']"):
        base, bracket, key = field_path[:-2].partition("['")
        if bracket and base:
            return base, key
    return field_path, None


def _conversion_problem(version: str, field_path: str, base: str, subscript: str | None) -> str | None:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscript is not None:
        return None if base in ("metadata.annotations", "metadata.labels") else f"field label does not support subscript: {field_path}"
    return None if base in _KNOWN_FIELD_PATHS else f"field label not supported: {field_path}"


def _validate_divisor(resource: str, divisor: Any, path: str, errors: list[FieldError]) -> None:
    if not divisor or quantity.parse(str(divisor)).nano == 0:
        return
    text = quantity.canonical(str(divisor))
    if resource.endswith(".cpu"):
        if text not in _CPU_DIVISORS:
            errors.append(invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource"))
        return
    for suffix, noun in ((".memory", "memory"), (".ephemeral-storage", "local ephemeral storage"), (None, "hugepages")):
        if resource.startswith(_HUGE_PAGES_PREFIXES) if suffix is None else resource.endswith(suffix):
            if text not in _BYTE_DIVISORS:
                listed = ", ".join(_BYTE_DIVISORS)
                errors.append(invalid(path, resource, f"only divisor's values {listed} are supported with the {noun} resource"))
            return
