"""Discovery one document at a time: `/api`, `/apis`, `/apis/GROUP`, `/api/v1`, `/apis/GROUP/VERSION`. Pure.

Source: CONTRACT A3; apiserver `pkg/endpoints/discovery`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from kcore.apiserver.discovery.groups import Group, GroupVersion
from kcore.machinery.gvk import GroupKind, GroupVersionKind
from kcore.machinery.scheme import KindSpec, Subresource

Object = dict[str, Any]

HASH_SIZE: Final = 8
ANY_CLIENT: Final = "0.0.0.0/0"

STORED_VERSIONS: Final = {
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): "v1beta1",
    GroupKind("certificates.k8s.io", "ClusterTrustBundle"): "v1beta1",
    GroupKind("certificates.k8s.io", "PodCertificateRequest"): "v1beta1",
    GroupKind("resource.k8s.io", "DeviceTaintRule"): "v1beta2",
    GroupKind("storagemigration.k8s.io", "StorageVersionMigration"): "v1beta1",
}
"""Kinds that Kubernetes 1.37 stores in an older version than it prefers; clients see that in the hash of the storage version alone."""


def api_versions(core: Group, address: str) -> Object:
    """The document of `/api`."""
    return {
        "kind": "APIVersions",
        "versions": [version.version for version in core.versions],
        "serverAddressByClientCIDRs": [{"clientCIDR": ANY_CLIENT, "serverAddress": address}],
    }


def api_group_list(groups: Iterable[Group]) -> Object:
    """The document of `/apis`, which the core group is no part of."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in groups if group.name]}


def api_group(group: Group) -> Object:
    """The document of `/apis/GROUP`."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}


def api_resource_list(version: GroupVersion, stored: dict[str, GroupVersionKind]) -> Object:
    """The document of `/api/v1` or `/apis/GROUP/VERSION`.

    stored  which kind is kept below a path of the store, see `stored_kinds`
    """
    resources = [entry for spec in version.kinds for entry in _entries(spec, stored.get(spec.storage))]
    head = {"kind": "APIResourceList", "apiVersion": "v1"} if version.group else {"kind": "APIResourceList"}
    return {**head, "groupVersion": version.api_version, "resources": resources}


def stored_kinds(groups: Iterable[Group]) -> dict[str, GroupVersionKind]:
    """By path in the store, the kind in whose form objects are kept there: what served versions have in common."""
    specs = (spec for group in groups for version in group.versions for spec in version.kinds)
    return {spec.storage: spec.gvk for spec in specs if spec.storage and not spec.converted}


def storage_version_hash(stored: GroupVersionKind) -> str:
    """What changes when objects of a kind are stored in another version."""
    version = STORED_VERSIONS.get(stored.group_kind, stored.version)
    digest = hashlib.sha256(f"{stored.group}/{version}/{stored.kind}".encode()).digest()
    return base64.b64encode(digest[:HASH_SIZE]).decode()


def _group(group: Group) -> Object:
    versions = [{"groupVersion": version.api_version, "version": version.version} for version in group.versions]
    return {"name": group.name, "versions": versions, "preferredVersion": versions[0]}


def _entries(spec: KindSpec, stored: GroupVersionKind | None) -> Iterator[Object]:
    """The rows of a resource: its own, then those of its subresources."""
    entry: Object = {"name": spec.resource, "singularName": spec.singular, "namespaced": spec.namespaced, "kind": spec.kind}
    entry["verbs"] = sorted(spec.verbs)
    if spec.short_names:
        entry["shortNames"] = list(spec.short_names)
    if spec.categories:
        entry["categories"] = list(spec.categories)
    if stored is not None:
        entry["storageVersionHash"] = storage_version_hash(stored)
    yield entry
    yield from (_subresource(spec, sub) for sub in spec.subresources.values())


def _subresource(spec: KindSpec, sub: Subresource) -> Object:
    entry: Object = {"name": f"{spec.resource}/{sub.name}", "singularName": "", "namespaced": spec.namespaced}
    if (sub.body.group, sub.body.version) != (spec.group, spec.version):
        entry |= {"group": sub.body.group, "version": sub.body.version}
    return {**entry, "kind": sub.body.kind, "verbs": sorted(sub.verbs)}
