"""The kinds of the scheme by group and version, in the order in which clients prefer them."""

from __future__ import annotations

from dataclasses import dataclass

from kcore.machinery.gvk import join_api_version
from kcore.machinery.scheme import KindSpec, Scheme

CORE = ""


@dataclass(frozen=True, slots=True)
class GroupVersion:
    """A group in one version, and its kinds in order of discovery."""

    group: str
    version: str
    kinds: tuple[KindSpec, ...]

    @property
    def api_version(self) -> str:
        return join_api_version(self.group, self.version)

    @property
    def path(self) -> str:
        """Where its resources stand: `api/v1`, `apis/apps/v1`."""
        return f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its versions, the preferred one first."""

    name: str
    versions: tuple[GroupVersion, ...]


def of(scheme: Scheme) -> tuple[Group, ...]:
    """All groups, the core group included; their order is that of the scheme."""
    kinds: dict[str, dict[str, list[KindSpec]]] = {}
    for spec in scheme.kinds.values():
        kinds.setdefault(spec.group, {}).setdefault(spec.version, []).append(spec)
    return tuple(
        Group(name, tuple(GroupVersion(name, version, tuple(found)) for version, found in versions.items()))
        for name, versions in kinds.items()
    )
