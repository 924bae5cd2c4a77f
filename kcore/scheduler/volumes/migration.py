"""Volumes that name a disk of a cloud directly, as the volumes of the CSI drivers that took these over.

A node attaches such a volume by the driver if its CSINode is there; where the volume can be reached is said in the driver's own terms on
nodes whose CSINode lists the plugin as migrated:

    zone labels or terms of the volume  ->  terms with the driver's topology key instead

Source: Kubernetes csi-translation-lib; which plugins are migrated is kube-scheduler's choice.
"""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from kcore.scheduler.rows import Expression, Term

ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
BETA_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
BETA_REGION: Final = "failure-domain.beta.kubernetes.io/region"
ZONE_SEPARATOR: Final = "__"

_UNSPECIFIED: Final = "UNSPECIFIED"
_MANAGED: Final = "managed"
_EBS: Final = re.compile("vol-[^/]*")


class Plugin(NamedTuple):
    """A plugin of old: the driver that took it over, and the label by which that tells zones apart, "" where it does not."""

    name: str
    driver: str
    topology: str = ""


GCE: Final = Plugin("kubernetes.io/gce-pd", "pd.csi.storage.gke.io", "topology.gke.io/zone")
EBS: Final = Plugin("kubernetes.io/aws-ebs", "ebs.csi.aws.com", "topology.ebs.csi.aws.com/zone")
AZURE: Final = Plugin("kubernetes.io/azure-disk", "disk.csi.azure.com")
CINDER: Final = Plugin("kubernetes.io/cinder", "cinder.csi.openstack.org", "topology.cinder.csi.openstack.org/zone")
PORTWORX: Final = Plugin("kubernetes.io/portworx-volume", "pxd.portworx.com")

_DRIVERS: Final = {plugin.name: plugin.driver for plugin in (GCE, EBS, AZURE, CINDER, PORTWORX)}
_NOT_COUNTED: Final = ("kubernetes.io/azure-file", "kubernetes.io/vsphere-volume")


class Migrated(NamedTuple):
    """A disk as its plugin's driver attaches it."""

    plugin: Plugin
    handle: str


class Sources(NamedTuple):
    """What a volume names directly; empty texts where it names no such disk."""

    gce: str = ""
    ebs: str = ""
    azure: str = ""
    azure_kind: str = ""
    cinder: str = ""
    portworx: str = ""


def migrated(sources: Sources, labels: Mapping[str, str]) -> Migrated | None:
    """Return the disk of a volume that has these labels (none, if a pod names it); None where no driver attaches it."""
    if sources.gce:
        handle = _gce_handle(sources.gce, labels)
        return Migrated(GCE, handle) if handle else None
    if sources.ebs:
        handle = _ebs_handle(sources.ebs)
        return Migrated(EBS, handle) if handle else None
    if sources.azure:
        return Migrated(AZURE, sources.azure) if sources.azure_kind.lower() in ("", _MANAGED) else None
    if sources.cinder:
        return Migrated(CINDER, sources.cinder)
    return Migrated(PORTWORX, sources.portworx) if sources.portworx else None


def driver_of(provisioner: str) -> str:
    """Return the driver that attaches what a provisioner makes; "" where none does."""
    return "" if provisioner in _NOT_COUNTED else _DRIVERS.get(provisioner, provisioner)


def is_migrated(provisioner: str) -> bool:
    """Say whether a driver took a provisioner over."""
    return provisioner in _DRIVERS


def driver_terms(plugin: Plugin, terms: tuple[Term, ...] | None, labels: Mapping[str, str]) -> tuple[Term, ...] | None:
    """Return from where a volume can be reached, in the terms of its plugin's driver."""
    if not plugin.topology:
        return terms
    keys = {expression.key for term in terms or () for expression in term.expressions}
    of_today = ZONE in keys or (BETA_ZONE not in keys and (ZONE in labels or BETA_ZONE not in labels))
    zone = ZONE if of_today else BETA_ZONE
    renamed = {} if of_today else {BETA_REGION: REGION}
    if any(expression.key == zone and expression.values for term in terms or () for expression in term.expressions):
        return _renamed(terms, {**renamed, zone: plugin.topology})
    zones = sorted({each for each in labels.get(zone, "").split(ZONE_SEPARATOR) if each})
    here = (Expression(plugin.topology, "In", tuple(zones)),) if zones else ()
    extended = tuple(term._replace(expressions=(*term.expressions, *here)) for term in terms or ((Term((), ()),) if here else ()))
    return _renamed(extended, renamed) or terms


def _renamed(terms: Sequence[Term] | None, keys: Mapping[str, str]) -> tuple[Term, ...]:
    return tuple(
        term._replace(expressions=tuple(each._replace(key=keys.get(each.key, each.key)) for each in term.expressions))
        for term in terms or ()
    )


def _gce_handle(name: str, labels: Mapping[str, str]) -> str:
    zones = (labels.get(BETA_ZONE) or labels.get(ZONE, "")).split(ZONE_SEPARATOR)
    if len(zones) == 1:
        return f"projects/{_UNSPECIFIED}/zones/{zones[0] or _UNSPECIFIED}/disks/{name}"
    regions = {zone.rpartition("-")[0] for zone in zones}
    if len(regions) > 1 or any(zone.count("-") != 2 for zone in zones):
        return ""
    return f"projects/{_UNSPECIFIED}/regions/{regions.pop()}/disks/{name}"


def _ebs_handle(text: str) -> str:
    if not text.startswith("aws://"):
        return text
    own = urlsplit(text).path.strip("/")
    return own if _EBS.fullmatch(own) else ""
