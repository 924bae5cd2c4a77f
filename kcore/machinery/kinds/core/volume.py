"""Volumes of a pod: names, one source each, and the table of sources with their rules.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kcore.machinery import names, quantity
from kcore.machinery.field_error import FieldError, duplicate, forbidden, invalid, not_supported, required
from kcore.machinery.kinds.core import volume_projected, volume_remote
from kcore.machinery.kinds.core.container import PULL_POLICIES
from kcore.machinery.kinds.core.container_paths import validate_descending_path, validate_no_backsteps
from kcore.machinery.kinds.core.volume_claim import validate_claim_template

Json = Mapping[str, Any]
SourceRule = Callable[[Json, str, list[FieldError]], None]

_HOST_PATH_TYPES: Final = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")


def validate_volumes(volumes: list[Any] | None, pod_name: str, path: str, errors: list[FieldError], *, is_pod: bool) -> dict[str, Json]:
    """Check the volumes of a pod.

    pod_name  the name of the pod, from which claims of ephemeral volumes are named; empty in a template
    is_pod    false in a template, where an image volume may still lack its image
    Returns   the valid volumes by name
    """
    valid: dict[str, Json] = {}
    if not volumes:
        return valid
    created = {f"{pod_name}-{volume.get('name') or ''}" for volume in volumes if volume.get("ephemeral") is not None} if pod_name else ()
    for index, volume in enumerate(volumes):
        at = f"{path}[{index}]"
        name = volume.get("name") or ""
        before = len(errors)
        _validate_source(volume, name, pod_name, at, errors, is_pod)
        if not name:
            errors.append(required(f"{at}.name"))
        elif not names.fits_dns1123_label(name):
            errors.extend(invalid(f"{at}.name", name, sentence) for sentence in names.dns1123_label(name))
        if name in valid:
            errors.append(duplicate(f"{at}.name", name))
        if len(errors) == before:
            valid[name] = volume
        claim = volume.get("persistentVolumeClaim")
        if claim is not None and (claim.get("claimName") or "") in created:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(invalid(f"{at}.persistentVolumeClaim.claimName", claim.get("claimName"), detail))
    return valid


def _validate_source(volume: Json, name: str, pod_name: str, path: str, errors: list[FieldError], is_pod: bool) -> None:
    found = False
    one = len(volume) == 2 and name
    for kind, rule in [(kind, SOURCES[kind]) for kind in volume if kind in SOURCES] if one else SOURCES.items():
        source = volume.get(kind)
        if source is None:
            continue
        if found and kind != "emptyDir":
            errors.append(forbidden(f"{path}.{_REPEATED_NAMES.get(kind, kind)}", "may not specify more than 1 volume type"))
        else:
            found = True
            rule(source, f"{path}.{_PATH_NAMES.get(kind, kind)}", errors)
            if kind == "ephemeral" and pod_name and name:
                claim = f"{pod_name}-{name}"
                sentences = names.dns1123_subdomain(claim)
                errors.extend(invalid(f"{path}.name", name, f'PVC name "{claim}": {sentence}') for sentence in sentences)
            elif kind == "image":
                _validate_image(source, f"{path}.image", errors, is_pod)
        if kind == "iscsi" and source.get("initiatorName") is not None:
            if len(f"{name}:{source.get('targetPortal') or ''}".encode()) > volume_remote.ISCSI_NAME_SIZE_MAX:
                errors.append(invalid(f"{path}.name", name, volume_remote.ISCSI_NAME_SENTENCE))
    if not found:
        errors.append(required(path, "must specify a volume type"))


def _validate_empty_dir(source: Json, path: str, errors: list[FieldError]) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(limit).nano < 0:
        errors.append(forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity"))


def validate_host_path(source: Json, path: str, errors: list[FieldError]) -> None:
    """Check a path of the node."""
    value, kind = source.get("path"), source.get("type")
    if not value:
        errors.append(required(f"{path}.path"))
        return
    validate_no_backsteps(value, f"{path}.path", errors)
    if kind is not None and kind not in _HOST_PATH_TYPES:
        errors.append(not_supported(f"{path}.type", kind, _HOST_PATH_TYPES))


def _validate_git_repo(source: Json, path: str, errors: list[FieldError]) -> None:
    if not source.get("repository"):
        errors.append(required(f"{path}.repository"))
    validate_descending_path(source.get("directory") or "", f"{path}.directory", errors)


def _validate_claim(source: Json, path: str, errors: list[FieldError]) -> None:
    if not source.get("claimName"):
        errors.append(required(f"{path}.claimName"))


def _validate_ephemeral(source: Json, path: str, errors: list[FieldError]) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(required(f"{path}.volumeClaimTemplate"))
    else:
        validate_claim_template(template, f"{path}.volumeClaimTemplate", errors)


def _validate_image(source: Json, path: str, errors: list[FieldError], is_pod: bool) -> None:
    if is_pod and not source.get("reference"):
        errors.append(required(f"{path}.reference"))
    policy = source.get("pullPolicy")
    if not policy:
        errors.append(required(f"{path}.pullPolicy"))
    elif policy not in PULL_POLICIES:
        errors.append(not_supported(f"{path}.pullPolicy", policy, PULL_POLICIES))


def _accept(_source: Json, _path: str, _errors: list[FieldError]) -> None:
    """Leave a source to a rule that knows its pod."""


# Where errors name a source by another word than its field: inside it, and when it is one too many.
_PATH_NAMES: Final = {"gcePersistentDisk": "persistentDisk"}
_REPEATED_NAMES: Final = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}

# Every source with its rule, in the order in which they are reported.
SOURCES: Final[Mapping[str, SourceRule]] = {
    "emptyDir": _validate_empty_dir,
    "hostPath": validate_host_path,
    "gitRepo": _validate_git_repo,
    "gcePersistentDisk": volume_remote.validate_gce_disk,
    "awsElasticBlockStore": volume_remote.validate_aws_disk,
    "secret": volume_projected.validate_secret,
    "nfs": volume_remote.validate_nfs,
    "iscsi": volume_remote.validate_iscsi,
    "glusterfs": volume_remote.validate_glusterfs,
    "flocker": volume_remote.validate_flocker,
    "persistentVolumeClaim": _validate_claim,
    "rbd": volume_remote.validate_rbd,
    "cinder": volume_remote.validate_cinder,
    "cephfs": volume_remote.validate_cephfs,
    "quobyte": volume_remote.validate_quobyte,
    "downwardAPI": volume_projected.validate_downward_api,
    "fc": volume_remote.validate_fibre_channel,
    "flexVolume": volume_remote.validate_flex,
    "configMap": volume_projected.validate_config_map,
    "azureFile": volume_remote.validate_azure_file,
    "vsphereVolume": volume_remote.validate_vsphere,
    "photonPersistentDisk": volume_remote.validate_photon,
    "portworxVolume": volume_remote.validate_portworx,
    "azureDisk": volume_remote.validate_azure_disk,
    "storageos": volume_remote.validate_storage_os,
    "projected": volume_projected.validate_projected,
    "scaleIO": volume_remote.validate_scale_io,
    "csi": volume_remote.validate_csi,
    "ephemeral": _validate_ephemeral,
    "image": _accept,
}
