"""Specs of pods in the form in which Kubernetes prints them in errors: its internal structs, every field, with Go's names and zero values.

`LAYOUTS` says how each struct is printed. An item is `GoName` or `GoName/jsonName`, then what it holds:
    :s text, :i number, :b truth (zero "", 0, false); :n anything nullable (null); :q a quantity ("0"); :a a resource list (null)
    >T a struct or a list of structs behind a pointer (null); =T a struct by value; @ the metadata, printed in place by its JSON names
The JSON name, where it is not given, is the Go name with its leading capitals lowered (`TTY` tty, `FSGroup` fsGroup).

`diff` is the text that a forbidden pod update carries; two specs are compared the same way, so that an empty list and an absent one are
equal.

Source: Kubernetes `pkg/apis/core/types.go` (names and order, facts of the answers), apimachinery `pkg/util/diff`.
"""
from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from kcore.machinery import quantity
from kcore.machinery.field_error import Rendered

Json = Mapping[str, Any]

DIFF_CONTEXT_LINES: Final = 3

_CONTAINER: Final = (
    "Name:s Image:s Command:n Args:n WorkingDir:s Ports>ContainerPort EnvFrom>EnvFromSource Env>EnvVar Resources=ResourceRequirements"
    " ResizePolicy>ResizePolicy RestartPolicy:n RestartPolicyRules>RestartRule VolumeMounts>VolumeMount VolumeDevices>VolumeDevice"
    " LivenessProbe>Probe ReadinessProbe>Probe StartupProbe>Probe Lifecycle>Lifecycle TerminationMessagePath:s TerminationMessagePolicy:s"
    " ImagePullPolicy:s SecurityContext>SecurityContext Stdin:b StdinOnce:b TTY:b"
)
_PROFILE: Final = "Type:s LocalhostProfile:n"
_ISCSI: Final = (
    "TargetPortal:s IQN:s Lun:i ISCSIInterface:s FSType:s ReadOnly:b Portals:n DiscoveryCHAPAuth/chapAuthDiscovery:b"
    " SessionCHAPAuth/chapAuthSession:b SecretRef>Reference InitiatorName:n"
)
_RBD: Final = "CephMonitors/monitors:n RBDImage/image:s FSType:s RBDPool/pool:s RadosUser/user:s Keyring:s SecretRef>Reference ReadOnly:b"
_FLEX: Final = "Driver:s FSType:s SecretRef>Reference ReadOnly:b Options:n"
_CINDER: Final = "VolumeID:s FSType:s ReadOnly:b SecretRef>Reference"
_CEPH_FS: Final = "Monitors:n Path:s User:s SecretFile:s SecretRef>Reference ReadOnly:b"
_SCALE_IO: Final = (
    "Gateway:s System:s SecretRef>Reference SSLEnabled:b ProtectionDomain:s StoragePool:s StorageMode:s VolumeName:s FSType:s ReadOnly:b"
)
_STORAGE_OS: Final = "VolumeName:s VolumeNamespace:s FSType:s ReadOnly:b SecretRef>Reference"
# The secret of a volume that is no pod's says in which namespace it is.
_ELSEWHERE: Final = ("SecretRef>Reference", "SecretRef>SecretReference")
_KEYS: Final = "Name:s Items>KeyToPath Optional:n"

LAYOUTS: Final[Mapping[str, str]] = {
    "PodTemplateSpec": "@ Spec=PodSpec",
    "PersistentVolumeClaim": "@ Spec=ClaimSpec Status=ClaimStatus",
    "PodSpec": (
        "Volumes>Volume InitContainers>Container Containers>Container EphemeralContainers>EphemeralContainer RestartPolicy:s"
        " TerminationGracePeriodSeconds:n ActiveDeadlineSeconds:n DNSPolicy:s NodeSelector:n ServiceAccountName:s"
        " DeprecatedServiceAccount/serviceAccount:s AutomountServiceAccountToken:n NodeName:s HostNetwork:b HostPID:b HostIPC:b"
        " ShareProcessNamespace:n SecurityContext>PodSecurityContext ImagePullSecrets>Reference Hostname:s Subdomain:s Affinity>Affinity"
        " SchedulerName:s Tolerations>Toleration HostAliases>HostAlias PriorityClassName:s Priority:n DNSConfig>DNSConfig"
        " ReadinessGates>ReadinessGate RuntimeClassName:n EnableServiceLinks:n PreemptionPolicy:n Overhead:a"
        " TopologySpreadConstraints>SpreadConstraint SetHostnameAsFQDN:n OS>Reference HostUsers:n SchedulingGates>Reference"
        " ResourceClaims>PodResourceClaim Resources>ResourceRequirements HostnameOverride:n SchedulingGroup>SchedulingGroup"
        " EvictionResponders>EvictionResponder"
    ),
    "Container": _CONTAINER,
    "EphemeralContainer": f"{_CONTAINER} TargetContainerName:s",
    "ContainerPort": "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s",
    "EnvFromSource": "Prefix:s ConfigMapRef>OptionalReference SecretRef>OptionalReference",
    "EnvVar": "Name:s Value:s ValueFrom>EnvVarSource",
    "EnvVarSource": (
        "FieldRef>FieldSelector ResourceFieldRef>ResourceSelector ConfigMapKeyRef>KeySelector SecretKeyRef>KeySelector"
        " FileKeyRef>FileSelector"
    ),
    "FieldSelector": "APIVersion:s FieldPath:s",
    "ResourceSelector": "ContainerName:s Resource:s Divisor:q",
    "KeySelector": "Name:s Key:s Optional:n",
    "FileSelector": "VolumeName:s Path:s Key:s Optional:n",
    "ResourceRequirements": "Limits:a Requests:a Claims>ResourceClaim",
    "ResourceClaim": "Name:s Request:s",
    "ResizePolicy": "ResourceName:s RestartPolicy:s",
    "RestartRule": "Action:s ExitCodes>ExitCodes",
    "ExitCodes": "Operator:s Values:n",
    "VolumeMount": "Name:s ReadOnly:b RecursiveReadOnly:n MountPath:s SubPath:s MountPropagation:n SubPathExpr:s BindMountOptions:n",
    "VolumeDevice": "Name:s DevicePath:s",
    "Probe": (
        "Exec>Exec HTTPGet>HTTPGet TCPSocket>TCPSocket GRPC>GRPC InitialDelaySeconds:i TimeoutSeconds:i PeriodSeconds:i"
        " SuccessThreshold:i FailureThreshold:i TerminationGracePeriodSeconds:n"
    ),
    "Exec": "Command:n",
    "HTTPGet": "Path:s Port:i Host:s Scheme:s HTTPHeaders>NameValue Protocol:n",
    "TCPSocket": "Port:i Host:s",
    "GRPC": "Port:i Service:n Mode:n",
    "Sleep": "Seconds:i",
    "Lifecycle": "PostStart>Hook PreStop>Hook StopSignal:n",
    "Hook": "Exec>Exec HTTPGet>HTTPGet TCPSocket>TCPSocket Sleep>Sleep",
    "NameValue": "Name:s Value:s",
    "SecurityContext": (
        "Capabilities>Capabilities Privileged:n SELinuxOptions>SELinuxOptions WindowsOptions>WindowsOptions RunAsUser:n RunAsGroup:n"
        " RunAsNonRoot:n ReadOnlyRootFilesystem:n AllowPrivilegeEscalation:n ProcMount:n SeccompProfile>SeccompProfile"
        " AppArmorProfile>AppArmorProfile"
    ),
    "PodSecurityContext": (
        "SELinuxOptions>SELinuxOptions WindowsOptions>WindowsOptions RunAsUser:n RunAsGroup:n RunAsNonRoot:n SupplementalGroups:n"
        " SupplementalGroupsPolicy:n FSGroup:n Sysctls>NameValue FSGroupChangePolicy:n SeccompProfile>SeccompProfile"
        " AppArmorProfile>AppArmorProfile SELinuxChangePolicy:n"
    ),
    "Capabilities": "Add:n Drop:n",
    "SELinuxOptions": "User:s Role:s Type:s Level:s",
    "WindowsOptions": "GMSACredentialSpecName:n GMSACredentialSpec:n RunAsUserName:n HostProcess:n",
    "SeccompProfile": _PROFILE,
    "AppArmorProfile": _PROFILE,
    "Reference": "Name:s",
    "OptionalReference": "Name:s Optional:n",
    "Toleration": "Key:s Operator:s Value:s Effect:s TolerationSeconds:n",
    "HostAlias": "IP:s Hostnames:n",
    "DNSConfig": "Nameservers:n Searches:n Options>DNSOption",
    "DNSOption": "Name:s Value:n",
    "ReadinessGate": "ConditionType:s",
    "SpreadConstraint": (
        "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:n MinDomains:n NodeAffinityPolicy:n NodeTaintsPolicy:n MatchLabelKeys:n"
    ),
    "PodResourceClaim": "Name:s ResourceClaimName:n ResourceClaimTemplateName:n",
    "SchedulingGroup": "PodGroupName:n",
    "EvictionResponder": "Name:s Priority:i",
    "Affinity": "NodeAffinity>NodeAffinity PodAffinity>PodAffinity PodAntiAffinity>PodAffinity",
    "NodeAffinity": (
        "RequiredDuringSchedulingIgnoredDuringExecution>NodeSelector PreferredDuringSchedulingIgnoredDuringExecution>NodePreference"
    ),
    "NodeSelector": "NodeSelectorTerms>NodeTerm",
    "VolumeNodeAffinity": "Required>NodeSelector",
    "NodeTerm": "MatchExpressions>NodeRequirement MatchFields>NodeRequirement",
    "NodeRequirement": "Key:s Operator:s Values:n",
    "NodePreference": "Weight:i Preference=NodeTerm",
    "PodAffinity": "RequiredDuringSchedulingIgnoredDuringExecution>PodTerm PreferredDuringSchedulingIgnoredDuringExecution>PodPreference",
    "PodTerm": "LabelSelector:n Namespaces:n TopologyKey:s NamespaceSelector:n MatchLabelKeys:n MismatchLabelKeys:n",
    "PodIP": "IP:s",
    "PodPreference": "Weight:i PodAffinityTerm=PodTerm",
    "Volume": (
        "Name:s HostPath>HostPath EmptyDir>EmptyDir GCEPersistentDisk>GCEDisk AWSElasticBlockStore>CloudDisk GitRepo>GitRepo Secret>Secret"
        " NFS>NFS ISCSI>ISCSI Glusterfs>Glusterfs PersistentVolumeClaim>Claim RBD>RBD FlexVolume>FlexVolume Cinder>Cinder"
        " CephFS/cephfs>CephFS Flocker>Flocker DownwardAPI>DownwardAPI FC>FC AzureFile>AzureFile ConfigMap>ConfigMap"
        " VsphereVolume>VsphereVolume Quobyte>Quobyte AzureDisk>AzureDisk PhotonPersistentDisk>PhotonDisk Projected>Projected"
        " PortworxVolume>Portworx ScaleIO>ScaleIO StorageOS/storageos>StorageOS CSI>CSI Ephemeral>Ephemeral Image>Image"
    ),
    "HostPath": "Path:s Type:n",
    "EmptyDir": "Medium:s SizeLimit:n Mode:n",
    "GCEDisk": "PDName:s FSType:s Partition:i ReadOnly:b",
    "CloudDisk": "VolumeID:s FSType:s Partition:i ReadOnly:b",
    "GitRepo": "Repository:s Revision:s Directory:s",
    "Secret": "SecretName:s Items>KeyToPath DefaultMode:n Optional:n DefaultUser:n",
    "KeyToPath": "Key:s Path:s Mode:n User:n",
    "NFS": "Server:s Path:s ReadOnly:b",
    "ISCSI": _ISCSI,
    "Glusterfs": "EndpointsName/endpoints:s Path:s ReadOnly:b",
    "Claim": "ClaimName:s ReadOnly:b",
    "RBD": _RBD,
    "Quobyte": "Registry:s Volume:s ReadOnly:b User:s Group:s Tenant:s",
    "FlexVolume": _FLEX,
    "Cinder": _CINDER,
    "CephFS": _CEPH_FS,
    "Flocker": "DatasetName:s DatasetUUID:s",
    "DownwardAPI": "Items>DownwardFile DefaultMode:n DefaultUser:n",
    "DownwardFile": "Path:s FieldRef>FieldSelector ResourceFieldRef>ResourceSelector Mode:n User:n",
    "FC": "TargetWWNs:n Lun:n FSType:s ReadOnly:b WWIDs/wwids:n",
    "AzureFile": "SecretName:s ShareName:s ReadOnly:b",
    "ConfigMap": "Name:s Items>KeyToPath DefaultMode:n Optional:n DefaultUser:n",
    "VsphereVolume": "VolumePath:s FSType:s StoragePolicyName:s StoragePolicyID:s",
    "AzureDisk": "DiskName:s DataDiskURI/diskURI:s CachingMode:n FSType:n ReadOnly:n Kind:n",
    "PhotonDisk": "PdID:s FSType:s",
    "Portworx": "VolumeID:s FSType:s ReadOnly:b",
    "ScaleIO": _SCALE_IO,
    "StorageOS": _STORAGE_OS,
    "CSI": "Driver:s ReadOnly:n FSType:n VolumeAttributes:n NodePublishSecretRef>Reference",
    "Image": "Reference:s PullPolicy:s",
    "Ephemeral": "VolumeClaimTemplate>ClaimTemplate",
    "ClaimTemplate": "@ Spec=ClaimSpec",
    "ClaimSpec": (
        "AccessModes:n Selector:n Resources=VolumeResources VolumeName:s StorageClassName:n VolumeMode:n DataSource>DataSource"
        " DataSourceRef>DataSourceRef VolumeAttributesClassName:n"
    ),
    "ClaimStatus": (
        "Phase:s AccessModes:n Capacity:a Conditions:n AllocatedResources:a AllocatedResourceStatuses:n CurrentVolumeAttributesClassName:n"
        " ModifyVolumeStatus:n HealthStatus:n"
    ),
    "PersistentVolumeSource": (
        "GCEPersistentDisk>GCEDisk AWSElasticBlockStore>CloudDisk HostPath>HostPath Glusterfs>GlusterfsElsewhere NFS>NFS RBD>RBDElsewhere"
        " ISCSI>ISCSIElsewhere Cinder>CinderElsewhere CephFS/cephfs>CephFSElsewhere FC>FC Flocker>Flocker FlexVolume>FlexElsewhere"
        " AzureFile>AzureFileElsewhere VsphereVolume>VsphereVolume Quobyte>Quobyte AzureDisk>AzureDisk PhotonPersistentDisk>PhotonDisk"
        " PortworxVolume>Portworx ScaleIO>ScaleIOElsewhere Local>Local StorageOS/storageos>StorageOSElsewhere CSI>CSIElsewhere"
    ),
    "GlusterfsElsewhere": "EndpointsName/endpoints:s Path:s ReadOnly:b EndpointsNamespace:n",
    "RBDElsewhere": _RBD.replace(*_ELSEWHERE),
    "ISCSIElsewhere": _ISCSI.replace(*_ELSEWHERE),
    "CinderElsewhere": _CINDER.replace(*_ELSEWHERE),
    "CephFSElsewhere": _CEPH_FS.replace(*_ELSEWHERE),
    "FlexElsewhere": _FLEX.replace(*_ELSEWHERE),
    "AzureFileElsewhere": "SecretName:s ShareName:s ReadOnly:b SecretNamespace:n",
    "ScaleIOElsewhere": _SCALE_IO.replace(*_ELSEWHERE),
    "Local": "Path:s FSType:n",
    "StorageOSElsewhere": _STORAGE_OS.replace("SecretRef>Reference", "SecretRef>ObjectReference"),
    "CSIElsewhere": (
        "Driver:s VolumeHandle:s ReadOnly:b FSType:s VolumeAttributes:n ControllerPublishSecretRef>SecretReference"
        " NodeStageSecretRef>SecretReference NodePublishSecretRef>SecretReference ControllerExpandSecretRef>SecretReference"
        " NodeExpandSecretRef>SecretReference"
    ),
    "SecretReference": "Name:s Namespace:s",
    "ObjectReference": "Kind:s Namespace:s Name:s UID:s APIVersion:s ResourceVersion:s FieldPath:s",
    "VolumeResources": "Limits:a Requests:a",
    "DataSource": "APIGroup:n Kind:s Name:s",
    "DataSourceRef": "APIGroup:n Kind:s Name:s Namespace:n",
    "Projected": "Sources>Projection DefaultMode:n DefaultUser:n",
    "Projection": (
        "Secret>Keys DownwardAPI>DownwardFiles ConfigMap>Keys ServiceAccountToken>Token ClusterTrustBundle>TrustBundle"
        " PodCertificate>Certificate"
    ),
    "Keys": _KEYS,
    "DownwardFiles": "Items>DownwardFile",
    "Token": "Audience:s ExpirationSeconds:i Path:s User:n",
    "TrustBundle": "Name:n SignerName:n LabelSelector:n Optional:n Path:s User:n",
    "Certificate": (
        "SignerName:s KeyType:s MaxExpirationSeconds:n CredentialBundlePath:s KeyPath:s CertificateChainPath:s UserAnnotations:n User:n"
    ),
}

_ITEM: Final = re.compile(r"(\w+)(?:/(\w+))?(?::(\w)|([>=])(\w+))")
_LEADING_CAPITALS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]")
_ZEROS: Final[Mapping[str, Any]] = {"s": "", "i": 0, "b": False, "n": None, "q": "0", "a": None}
_ESCAPES: Final = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})    # as Go's encoder does
_OWNER_ORDER: Final = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_METADATA_ORDER: Final = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
)


class Item(NamedTuple):
    """One printed field; `nested` is the struct it holds, `by_value` says that it is there even when it is empty."""

    go_name: str
    json_name: str
    kind: str
    nested: str
    by_value: bool


def printed(struct: str, value: Json | None) -> Rendered:
    """Render a message the way it stands in a sentence: compact, in the order of its internal struct."""
    if value is None:
        return Rendered("null")
    return Rendered(json.dumps(tree(struct, value), separators=(",", ":"), ensure_ascii=False).translate(_ESCAPES))


def printed_list(struct: str, values: Sequence[Json]) -> Rendered:
    """Render a list of messages; an empty one is null, as a list that nobody made."""
    return Rendered("[" + ",".join(printed(struct, value) for value in values) + "]") if values else Rendered("null")


def diff(struct: str, old: Json, new: Json) -> str:
    """Render the difference of two messages as a unified diff of their printed forms."""
    before, after = (json.dumps(tree(struct, value), indent=1, ensure_ascii=False).translate(_ESCAPES).split("\n") for value in (old, new))
    lines = difflib.unified_diff(before, after, n=DIFF_CONTEXT_LINES, lineterm="")
    # The first two lines name the files, which have no names here.
    return "".join(f"{line}\n" for line in list(lines)[2:])


def same(struct: str, old: Json, new: Json) -> bool:
    """Compare two messages as Kubernetes does: quantities by amount, empty lists and maps like absent ones."""
    return old == new or _without_empty(tree(struct, old)) == _without_empty(tree(struct, new))


def tree(struct: str, value: Json) -> dict[str, Any]:
    """Turn a message into its printed form, as nested dicts in the right order."""
    found: dict[str, Any] = {}
    for item in items(struct):
        if item.kind == "@":
            found.update(metadata_tree(value.get("metadata") or {}))
            continue
        part = value.get(item.json_name)
        if part is None:
            found[item.go_name] = tree(item.nested, {}) if item.by_value else _ZEROS.get(item.kind)
        elif item.nested:
            found[item.go_name] = [tree(item.nested, each) for each in part] if isinstance(part, list) else tree(item.nested, part)
        else:
            found[item.go_name] = _LEAVES.get(item.kind, _plain)(part)
    return found


@cache
def items(struct: str) -> tuple[Item, ...]:
    """Read the layout of a struct."""
    found = []
    for word in LAYOUTS[struct].split():
        if word == "@":
            found.append(Item("", "", "@", "", False))
            continue
        match = _ITEM.fullmatch(word)
        assert match is not None, word
        go_name, json_name, kind, pointer, nested = match.groups()
        found.append(Item(go_name, json_name or _lowered(go_name), kind or "", nested or "", pointer == "="))
    return tuple(found)


def _lowered(go_name: str) -> str:
    return _LEADING_CAPITALS.sub(lambda match: match[0].lower(), go_name, count=1)


def metadata_tree(metadata: Json) -> dict[str, Any]:
    """Turn metadata into its printed form, in the right order."""
    return {key: _metadata_part(key, metadata[key]) for key in _METADATA_ORDER if metadata.get(key)}


def _metadata_part(key: str, value: Any) -> Any:
    if key == "ownerReferences":
        return [{field: owner[field] for field in _OWNER_ORDER if field in owner} for owner in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _amounts(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: quantity.canonical(text) for name, text in sorted(value.items())}


_LEAVES: Final[Mapping[str, Callable[[Any], Any]]] = {"a": _amounts, "q": quantity.canonical}


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(part) for key, part in value.items()} or None
    if isinstance(value, list):
        return [_without_empty(part) for part in value] or None
    return value
