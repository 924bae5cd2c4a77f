"""Fields of a pod whose feature is off in Kubernetes 1.37: they are dropped from what clients send, unless the stored pod uses the feature.

A feature is named after its gate where the gate can be switched (`GenericWorkload`), else after what it adds.

Source: Kubernetes `pkg/api/pod` (DropDisabledPodFields), observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kcore.base.features import GENERIC_WORKLOAD, NO_FEATURES, Features

Json = Mapping[str, Any]
Object = dict[str, Any]

_SPEC_FIELDS: Final = {"schedulingGroup": GENERIC_WORKLOAD, "evictionResponders": "eviction responders"}
_CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS: Final = ("postStart", "preStop")
_FILE_OWNERS: Final = "file owners"
# Volumes of files that the kubelet writes, which may get an owner.
_FILE_VOLUMES: Final = ("secret", "configMap", "downwardAPI", "projected")
# What a part of a projected volume may be; where it is several, the first counts.
_PROJECTED: Final = ("secret", "downwardAPI", "configMap", "serviceAccountToken", "clusterTrustBundle", "podCertificate")


class Use(NamedTuple):
    """A field that belongs to a feature, and the message that holds it."""

    holder: Object
    field: str
    feature: str


def drop_disabled(spec: Object, stored: Json | None = None, features: Features = NO_FEATURES) -> None:
    """Remove the fields of features that are off, in place.

    stored    the spec of the stored object on update; a feature that it uses stays on
    features  the features that are on
    """
    used = list(_uses(spec))
    if not used:
        return
    on = features.union(use.feature for use in _uses(stored)) if stored else features
    empty = [container for container in _containers(spec) if container.get("lifecycle") == {}]
    for use in used:
        if use.feature not in on:
            del use.holder[use.field]
    for container in _containers(spec):
        if container.get("lifecycle") == {} and not any(container is each for each in empty):
            del container["lifecycle"]


def _containers(spec: Json) -> Iterator[Object]:
    for kind in _CONTAINER_LISTS:
        yield from spec.get(kind) or ()


def _uses(spec: Json) -> Iterator[Use]:
    for field, feature in _SPEC_FIELDS.items():
        if field in spec:
            yield Use(spec, field, feature)  # type: ignore[arg-type]
    for kind in _CONTAINER_LISTS:
        for container in spec.get(kind) or ():
            yield from _container_uses(container)
    for volume in spec.get("volumes") or ():
        directory = volume.get("emptyDir")
        if directory and "mode" in directory:
            yield Use(directory, "mode", "mode of an empty directory")
        for field in _FILE_VOLUMES:
            if volume.get(field) is not None:
                yield from _owner_uses(volume[field])


def _container_uses(container: Json) -> Iterator[Use]:
    for mount in container.get("volumeMounts") or ():
        if "bindMountOptions" in mount:
            yield Use(mount, "bindMountOptions", "bind mount options")
    for field in _PROBES:
        if container.get(field) is not None:
            yield from _handler_uses(container[field])
    lifecycle = container.get("lifecycle")
    if lifecycle is not None:
        if "stopSignal" in lifecycle:
            yield Use(lifecycle, "stopSignal", "stop signals")
        for field in _HOOKS:
            if lifecycle.get(field) is not None:
                yield from _handler_uses(lifecycle[field])


def _handler_uses(handler: Json) -> Iterator[Use]:
    for kind, field in (("httpGet", "protocol"), ("grpc", "mode")):
        action = handler.get(kind)
        if action and field in action:
            yield Use(action, field, f"{field} of a {kind} probe")


def _owner_uses(source: Object) -> Iterator[Use]:
    """Find owners of files: of a volume, of its items, and of the parts of a projection and their items."""
    if "defaultUser" in source:
        yield Use(source, "defaultUser", _FILE_OWNERS)
    for item in source.get("items") or ():
        if "user" in item:
            yield Use(item, "user", _FILE_OWNERS)
    for part in source.get("sources") or ():
        projection: Object = (part[min(part, key=_PROJECTED.index)] if part else None) or {}
        if "user" in projection:
            yield Use(projection, "user", _FILE_OWNERS)
        yield from _owner_uses(projection)
