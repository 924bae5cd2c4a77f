"""Volumes and their sources."""

from typing import Any

import pytest

from kcore.machinery.kinds.core.volume import SOURCES
from tests.unit.machinery.kinds.core.pods import wrong_spec

ONE = "may not specify more than 1 volume type"
FIELD = {"apiVersion": "v1", "fieldPath": "metadata.name"}


def wrong_volumes(*volumes: dict[str, Any], **options: Any) -> list[str]:
    return [message.removeprefix("spec.volumes") for message in wrong_spec(volumes=list(volumes), **options)]


def wrong_source(**source: Any) -> list[str]:
    return [message.removeprefix("[0].") for message in wrong_volumes({"name": "v", **source})]


def test_volumes_have_unique_names_and_a_source() -> None:
    assert wrong_volumes({"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}) == ['[1].name: Duplicate value: "a"']
    assert wrong_volumes({"emptyDir": {}}) == ["[0].name: Required value"]
    assert wrong_volumes({"name": "a"}) == ["[0]: Required value: must specify a volume type"]


def test_a_second_source_is_one_too_many_in_the_order_of_the_table() -> None:
    assert wrong_volumes({"hostPath": {}, "emptyDir": {}}) == [f"[0].hostPath: Forbidden: {ONE}", "[0].name: Required value"]
    assert wrong_source(emptyDir={}, cephfs={}, downwardAPI={}) == [
        f"cephFS: Forbidden: {ONE}", f"downwarAPI: Forbidden: {ONE}",
    ]
    assert len(SOURCES) == 30


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("emptyDir", {"sizeLimit": "-1"}, ["emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"]),
        ("hostPath", {}, ["hostPath.path: Required value"]),
        ("hostPath", {"path": "/a/../b", "type": "x"}, [
            "hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
            'hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", '
            '"File", "FileOrCreate", "Socket"',
        ]),
        ("gitRepo", {"directory": "/a"}, [
            "gitRepo.repository: Required value", 'gitRepo.directory: Invalid value: "/a": must be a relative path',
        ]),
        ("gcePersistentDisk", {"partition": 256}, [
            "persistentDisk.pdName: Required value", "persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive",
        ]),
        ("awsElasticBlockStore", {}, ["awsElasticBlockStore.volumeID: Required value"]),
        ("nfs", {"path": "p"}, ["nfs.server: Required value", 'nfs.path: Invalid value: "p": must be an absolute path']),
        ("glusterfs", {}, ["glusterfs.endpoints: Required value", "glusterfs.path: Required value"]),
        ("flocker", {}, ["flocker: Required value: one of datasetName and datasetUUID is required"]),
        ("flocker", {"datasetName": "a/b", "datasetUUID": "u"}, [
            'flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously',
            "flocker.datasetName: Invalid value: \"a/b\": must not contain '/'",
        ]),
        ("persistentVolumeClaim", {}, ["persistentVolumeClaim.claimName: Required value"]),
        ("rbd", {}, ["rbd.monitors: Required value", "rbd.image: Required value"]),
        ("cinder", {"secretRef": {}}, ["cinder.volumeID: Required value", "cinder.secretRef.name: Required value"]),
        ("cephfs", {}, ["cephfs.monitors: Required value"]),
        ("quobyte", {}, [
            "quobyte.registry: Required value: must be a host:port pair or multiple pairs separated by commas",
            "quobyte.volume: Required value",
        ]),
        ("quobyte", {"registry": "a:1,b", "volume": "v"}, [
            'quobyte.registry: Invalid value: "a:1,b": must be a host:port pair or multiple pairs separated by commas',
        ]),
        ("quobyte", {"registry": "[::1]:1,h:2", "volume": "v"}, []),
        ("quobyte", {"registry": "a:1", "tenant": "t" * 65, "volume": "v"}, [
            "quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 characters",
        ]),
        ("fc", {}, ["fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both"]),
        ("fc", {"targetWWNs": ["a"], "wwids": ["b"]}, [
            'fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
            "fc.lun: Required value: lun is required if targetWWNs is specified",
        ]),
        ("flexVolume", {"options": {"x.Kubernetes.io/a": "b", "c": "d"}}, [
            "flexVolume.driver: Required value",
            'flexVolume.options[x.Kubernetes.io/a]: Invalid value: "x.Kubernetes.io/a": kubernetes.io and k8s.io namespaces are reserved',
        ]),
        ("azureFile", {}, ["azureFile.secretName: Required value", "azureFile.shareName: Required value"]),
        ("vsphereVolume", {}, ["vsphereVolume.volumePath: Required value"]),
        ("photonPersistentDisk", {}, ["photonPersistentDisk.pdID: Required value"]),
        ("portworxVolume", {}, ["portworxVolume.volumeID: Required value"]),
        ("azureDisk", {"diskName": "d", "diskURI": "https://x", "kind": "Shared", "cachingMode": "None"}, []),
        ("azureDisk", {"diskName": "d", "diskURI": "x", "kind": "Managed"}, [
            'azureDisk.diskURI: Unsupported value: "x": supported values: '
            '"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
        ]),
        ("azureDisk", {"diskName": "d", "diskURI": "x", "kind": "k", "cachingMode": "c"}, [
            'azureDisk.cachingMode: Unsupported value: "c": supported values: "None", "ReadOnly", "ReadWrite"',
            'azureDisk.kind: Unsupported value: "k": supported values: "Dedicated", "Managed", "Shared"',
            'azureDisk.diskURI: Unsupported value: "x": supported values: '
            '"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
        ]),
        ("storageos", {"secretRef": {}}, ["storageos.volumeName: Required value", "storageos.secretRef.name: Required value"]),
        ("scaleIO", {}, ["scaleIO.gateway: Required value", "scaleIO.system: Required value", "scaleIO.volumeName: Required value"]),
        ("csi", {"driver": "d" * 64}, [
            "csi.driver: Too long: may not be more than 63 bytes",
        ]),
        ("csi", {"driver": "D.example.com", "nodePublishSecretRef": {}}, ["csi.nodePublishSecretRef.name: Required value"]),
        ("ephemeral", {}, ["ephemeral.volumeClaimTemplate: Required value"]),
        ("image", {"pullPolicy": "Always"}, ["image.reference: Required value"]),
        ("image", {"reference": "x", "pullPolicy": "y"}, [
            'image.pullPolicy: Unsupported value: "y": supported values: "Always", "IfNotPresent", "Never"',
        ]),
    ],
)
def test_each_source_has_its_rules(kind: str, source: dict[str, Any], expected: list[str]) -> None:
    assert wrong_source(**{kind: source}) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("iqn.2001-04.com.example:storage.kube.sys1.xyz", ""),
        ("eui.0123456789abcdef", ""),
        ("naa.0123456789abcdef0123456789abcdef", ""),
        ("x", "must be valid format starting with iqn, eui, or naa"),
        ("iqn.x", "must be valid format"),
        ("eui.x", "must be valid format"),
    ],
)
def test_iscsi_names_have_one_of_three_forms(name: str, expected: str) -> None:
    wrong = wrong_source(iscsi={"targetPortal": "1.2.3.4", "iqn": name})
    assert [message.rpartition(": ")[2] for message in wrong] == ([expected] if expected else [])


def test_iscsi_disks_are_complete_and_short_enough_together() -> None:
    assert wrong_source(iscsi={"lun": 256, "chapAuthSession": True}) == [
        "iscsi.targetPortal: Required value", "iscsi.iqn: Required value",
        "iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive", "iscsi.secretRef: Required value",
    ]
    name = "iqn.2001-04.com.example:storage"
    long = wrong_source(iscsi={"targetPortal": "p" * 63, "iqn": name, "initiatorName": name})
    assert long == [
        'name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters '
        "if iscsi.initiatorName is specified.",
    ]


def test_a_template_may_lack_the_image_of_an_image_volume() -> None:
    assert wrong_spec(volumes=[{"name": "v", "image": {"pullPolicy": "Always"}}], is_pod=False) == []


def test_files_of_keys_stay_inside_the_volume() -> None:
    items = [{}, {"key": "k", "path": "..a", "mode": 512}]
    expected = [
        "items[0].key: Required value", "items[0].path: Required value", "items[1].path: Invalid value: \"..a\": must not start with '..'",
        "items[1].mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
    ]
    assert wrong_source(secret={"secretName": "s", "items": items}) == [f"secret.{message}" for message in expected]
    assert wrong_source(configMap={"name": "c", "items": items}) == [f"configMap.{message}" for message in expected]
    assert wrong_source(secret={"defaultMode": -1}) == [
        "secret.secretName: Required value",
        "secret.defaultMode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive",
    ]


def test_files_of_the_downward_api_have_one_source() -> None:
    resource = {"containerName": "c", "resource": "limits.cpu"}
    assert wrong_source(downwardAPI={"items": [{"path": "a", "fieldRef": FIELD}, {"path": "b", "resourceFieldRef": resource}]}) == []
    assert wrong_source(downwardAPI={"items": [{"path": "a", "fieldRef": FIELD, "resourceFieldRef": resource}, {"path": "b"}]}) == [
        'downwardAPI: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously',
        "downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    ]
    assert wrong_source(downwardAPI={"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}) == [
        "downwardAPI.resourceFieldRef.containerName: Required value",
    ]


def test_a_projection_has_one_source_each_and_no_file_twice() -> None:
    key = {"key": "k", "path": "a"}
    sources = [{"secret": {"name": "s", "items": [key]}}, {"configMap": {"name": "c", "items": [key]}}]
    assert wrong_source(projected={"sources": sources}) == [
        'projected: Invalid value: "c": conflicting duplicate paths',
    ]
    assert wrong_source(projected={"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}) == [
        "projected.sources[0]: Forbidden: may not specify more than 1 volume type per source",
    ]
    files = {"downwardAPI": {"items": [{"path": "a", "fieldRef": FIELD}, {"path": "a", "fieldRef": FIELD}]}}
    assert wrong_source(projected={"sources": [files]}) == ['projected: Invalid value: "a": conflicting duplicate paths']


def test_tokens_live_for_a_while_and_have_a_path() -> None:
    tokens = [{"serviceAccountToken": {"expirationSeconds": seconds, "path": path}} for seconds, path in ((599, ""), (2**32 + 1, "/a"))]
    wrong = wrong_spec(volumes=[{"name": "v", "projected": {"sources": tokens}}], serviceAccountName="default")
    assert [message.removeprefix("spec.volumes[0].projected.") for message in wrong] == [
        "sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        "path: Required value",
        "sources[1].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
        'path: Invalid value: "/a": must be a relative path',
    ]


def test_trust_bundles_are_named_directly_or_by_signer() -> None:
    def check(**bundle: Any) -> list[str]:
        wrong = wrong_source(projected={"sources": [{"clusterTrustBundle": {"path": "p", **bundle}}]})
        return [message.removeprefix("projected.sources[0].clusterTrustBundle") for message in wrong]

    assert check(name="example.com:signer:x") == []
    assert check(signerName="example.com/signer", labelSelector={}) == []
    assert check() == [": Required value: either name or signerName must be specified"]
    assert check(name="a", signerName="b") == [
        ': Invalid value: {"Name":"a","SignerName":"b","LabelSelector":null,"Optional":null,"Path":"p","User":null}: '
        "only one of name and signerName may be used",
    ]
    assert check(name=":a") == [
        '.name: Invalid value: ":a": not a valid clustertrustbundlename: ClusterTrustBundle without signer name must not have ":" in its'
        " name",
    ]
    assert check(name="a", labelSelector={}, path="") == [
        ".labelSelector: Invalid value: {}: labelSelector must be unset if name is specified", ".path: Required value",
    ]
    assert check(signerName="x") == [
        ".signerName: Invalid value: \"x\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
    ]
    assert check(signerName="x/y") == [
        '.signerName: Invalid value: "x": should be a domain with at least two segments separated by dots',
    ]


def test_certificates_have_a_key_a_signer_and_files() -> None:
    def check(**certificate: Any) -> list[str]:
        wrong = wrong_source(projected={"sources": [{"podCertificate": certificate}]})
        return [message.removeprefix("projected.sources[0].podCertificate") for message in wrong]

    assert check(signerName="a.b/c", keyType="ED25519", maxExpirationSeconds=3600, keyPath="k", certificateChainPath="c") == []
    assert check(signerName="a.b/c", keyType="x", maxExpirationSeconds=1) == [
        '.keyType: Unsupported value: "x": supported values: "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"',
        ".maxExpirationSeconds: Invalid value: 1: if provided, maxExpirationSeconds must be >= 3600",
        ": Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath",
    ]


def test_claims_of_ephemeral_volumes_are_checked_and_not_named_again() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}
    ephemeral = {"name": "e", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}}
    assert wrong_volumes(ephemeral) == []
    assert wrong_volumes(ephemeral, {"name": "c", "persistentVolumeClaim": {"claimName": "p-e"}}) == [
        '[1].persistentVolumeClaim.claimName: Invalid value: "p-e": must not reference a PVC that gets created for an ephemeral volume',
    ]
    broken = {"metadata": {"name": "n"}, "spec": {"accessModes": ["ReadWriteOncePod", "ReadWriteMany", "x"], "volumeMode": "y"}}
    found = wrong_source(ephemeral={"volumeClaimTemplate": broken})
    assert [message.removeprefix("ephemeral.volumeClaimTemplate.") for message in found] == [
        "metadata.name: Forbidden: cannot be set",
        'spec.accessModes: Unsupported value: "x": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
        "spec.resources[storage]: Required value",
        'spec.volumeMode: Unsupported value: "y": supported values: "Block", "Filesystem"',
    ]


def test_data_sources_of_claims_agree() -> None:
    def check(**fields: Any) -> list[str]:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "0"}}, **fields}
        wrong = wrong_source(ephemeral={"volumeClaimTemplate": {"spec": spec}})
        return [message.removeprefix("ephemeral.volumeClaimTemplate.spec") for message in wrong]

    zero = '.resources[storage]: Invalid value: "0": must be greater than zero'
    claim = {"kind": "PersistentVolumeClaim", "name": "a"}
    assert check(dataSource=claim, dataSourceRef=claim) == [zero]
    assert check(dataSource={"kind": "X"}, dataSourceRef={**claim, "namespace": "n"}) == [
        zero, ".dataSource.name: Required value",
        ".dataSource: Invalid value: \"X\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
        ": Invalid value: {}: may not be specified when dataSourceRef.namespace is specified",
    ]
    assert check(dataSource=claim, dataSourceRef={**claim, "name": "b"})[1:] == [
        ": Invalid value: {}: must match dataSourceRef",
    ]
