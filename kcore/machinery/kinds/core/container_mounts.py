"""Volume mounts and block devices of a container.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery.field_error import FieldError, forbidden, invalid, not_found, not_supported, required
from kcore.machinery.kinds.core.container_paths import has_backstep, validate_descending_path

Json = Mapping[str, Any]

_PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE_READ_ONLY: Final = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(container: Json, volumes: Mapping[str, Json], path: str, errors: list[FieldError]) -> None:
    """Check the mounts of a container against the volumes of its pod; `path` is the container's."""
    mounts = container.get("volumeMounts")
    if not mounts:
        return
    at = f"{path}.volumeMounts"
    devices = container.get("volumeDevices")
    device_paths = {device.get("name") or "": device.get("devicePath") or "" for device in devices} if devices else {}
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        name, mount_path = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.append(required(f"{at}[{index}].name"))
        if name not in volumes:
            errors.append(not_found(f"{at}[{index}].name", name))
        if not mount_path:
            errors.append(required(f"{at}[{index}].mountPath"))
        if mount_path in seen:
            errors.append(invalid(f"{at}[{index}].mountPath", mount_path, "must be unique"))
        seen.add(mount_path)
        if device_paths:
            if name in device_paths:
                errors.append(invalid(f"{at}[{index}].name", name, "must not already exist in volumeDevices"))
            if mount_path in device_paths.values():
                errors.append(invalid(f"{at}[{index}].mountPath", mount_path, "must not already exist as a path in volumeDevices"))
        if len(mount) > 2 or not name or not mount_path:
            _validate_mount_details(mount, container, volumes.get(name), at, index, errors)


def validate_devices(container: Json, volumes: Mapping[str, Json], path: str, errors: list[FieldError]) -> None:
    """Check the block devices of a container; `path` is the container's."""
    devices = container.get("volumeDevices")
    if not devices:
        return
    at = f"{path}.volumeDevices"
    mount_paths = {mount.get("name") or "": mount.get("mountPath") or "" for mount in container.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(devices):
        item = f"{at}[{index}]"
        name, device_path = device.get("name") or "", device.get("devicePath") or ""
        _validate_device_name(name, volumes.get(name), seen_names, f"{item}.name", errors)
        if not device_path:
            errors.append(required(f"{item}.devicePath"))
        if device_path in seen_paths:
            errors.append(invalid(f"{item}.devicePath", device_path, "must be unique"))
        if has_backstep(device_path):
            errors.append(invalid(f"{item}.devicePath", device_path, "can not contain backsteps ('..')"))
        else:
            seen_paths.add(device_path)
        if name in mount_paths:
            errors.append(invalid(f"{item}.name", name, "must not already exist in volumeMounts"))
        if device_path in mount_paths.values():
            errors.append(invalid(f"{item}.devicePath", device_path, "must not already exist as a path in volumeMounts"))
        if name:
            seen_names.add(name)


def _validate_device_name(name: str, volume: Json | None, seen: set[str], path: str, errors: list[FieldError]) -> None:
    if not name:
        errors.append(required(path))
    if name in seen:
        errors.append(invalid(path, name, "must be unique"))
    if volume is None:
        errors.append(not_found(path, name))
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        errors.append(invalid(path, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))


def _validate_mount_details(
    mount: Json, container: Json, volume: Json | None, path: str, index: int, errors: list[FieldError],
) -> None:
    sub_path, sub_path_expr = mount.get("subPath"), mount.get("subPathExpr")
    if volume is not None and volume.get("image") is not None:
        for name, value in (("subPath", sub_path), ("subPathExpr", sub_path_expr)):
            if value:
                errors.append(invalid(f"{path}[{index}].{name}", value, "not allowed in image volume sources"))
    if sub_path:
        validate_descending_path(sub_path, f"{path}.subPath", errors)
    if sub_path_expr:
        if sub_path:
            errors.append(invalid(f"{path}[{index}].subPathExpr", sub_path_expr, "subPathExpr and subPath are mutually exclusive"))
        validate_descending_path(sub_path_expr, f"{path}.subPathExpr", errors)
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        _validate_propagation(propagation, container, f"{path}.mountPropagation", errors)
    recursive = mount.get("recursiveReadOnly")
    if recursive is not None:
        _validate_recursive_read_only(recursive, mount, f"{path}.recursiveReadOnly", errors)


def _validate_propagation(propagation: str, container: Json, path: str, errors: list[FieldError]) -> None:
    if propagation not in _PROPAGATIONS:
        errors.append(not_supported(path, propagation, _PROPAGATIONS))
    if propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        errors.append(forbidden(path, "Bidirectional mount propagation is available only to privileged containers"))


def _validate_recursive_read_only(recursive: str, mount: Json, path: str, errors: list[FieldError]) -> None:
    if recursive not in _RECURSIVE_READ_ONLY:
        errors.append(not_supported(path, recursive, _RECURSIVE_READ_ONLY))
    elif recursive != "Disabled":
        if not mount.get("readOnly"):
            errors.append(forbidden(path, "may only be specified when readOnly is true"))
        if mount.get("mountPropagation") not in (None, "None"):
            errors.append(forbidden(path, "may only be specified when mountPropagation is None or not specified"))
