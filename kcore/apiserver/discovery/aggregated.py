"""Discovery in one document: all groups, versions, resources and subresources, as `apidiscovery.k8s.io/v2`. Pure.

Source: CONTRACT A3; KEP-3352; apiserver `pkg/endpoints/discovery/aggregated`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kcore.apiserver.discovery.groups import Group, GroupVersion
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.scheme import KindSpec, Subresource

Object = dict[str, Any]


def group_discovery_list(groups: Iterable[Group]) -> Object:
    """The document of `/apis`, or of `/api` for the core group alone."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_group(group) for group in groups],
    }


def _group(group: Group) -> Object:
    return {"metadata": {"name": group.name} if group.name else {}, "versions": [_version(version) for version in group.versions]}


def _version(version: GroupVersion) -> Object:
    return {"version": version.version, "resources": [_resource(spec) for spec in version.kinds], "freshness": "Current"}


def _resource(spec: KindSpec) -> Object:
    entry: Object = {
        "resource": spec.resource,
        "responseKind": _kind(spec, spec.gvk),
        "scope": "Namespaced" if spec.namespaced else "Cluster",
        "singularResource": spec.singular,
        "verbs": sorted(spec.verbs),
    }
    if spec.short_names:
        entry["shortNames"] = list(spec.short_names)
    if spec.categories:
        entry["categories"] = list(spec.categories)
    if spec.subresources:
        entry["subresources"] = [_subresource(spec, sub) for sub in spec.subresources.values()]
    return entry


def _subresource(spec: KindSpec, sub: Subresource) -> Object:
    return {"subresource": sub.name, "responseKind": _kind(spec, sub.body), "verbs": sorted(sub.verbs)}


def _kind(spec: KindSpec, gvk: GroupVersionKind) -> Object:
    """A kind of an answer; group and version are empty where they are those of the document's entry."""
    own = (gvk.group, gvk.version) == (spec.group, spec.version)
    return {"group": "" if own else gvk.group, "version": "" if own else gvk.version, "kind": gvk.kind}
