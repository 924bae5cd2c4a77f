"""Names of API types: group, version, kind and resource, and the `apiVersion` in which objects write them."""
from __future__ import annotations

from typing import NamedTuple


class GroupVersionKind(NamedTuple):
    """A kind in one version; the core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return join_api_version(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


class GroupKind(NamedTuple):
    """A kind in all its versions."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupResource(NamedTuple):
    """A resource in all its versions."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class GroupVersionResource(NamedTuple):
    """A resource in one version."""

    group: str
    version: str
    resource: str

    @property
    def api_version(self) -> str:
        return join_api_version(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)


def split_api_version(api_version: str) -> tuple[str, str]:
    """Split `apps/v1` or `v1` into group and version.

    Raises  ValueError if there is more than one slash
    """
    if api_version.count("/") > 1:
        raise ValueError(f"unexpected GroupVersion string: {api_version}")
    group, _, version = api_version.rpartition("/")
    return group, version


def join_api_version(group: str, version: str) -> str:
    """Write group and version as `apps/v1` or `v1`."""
    return f"{group}/{version}" if group else version


def from_object(value: dict[str, object]) -> GroupVersionKind:
    """Read an object's own statement of its type."""
    group, version = split_api_version(str(value.get("apiVersion") or ""))
    return GroupVersionKind(group, version, str(value.get("kind") or ""))
