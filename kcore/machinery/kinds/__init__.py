"""The rules of each kind that its proto options cannot express.

One module per kind, `kinds/<group>/<noun>.py`, each with a constant `RULES: KindRules`. The table below is literal and a module is imported
when its kind is first asked for, so that a start does not pay for kinds that nobody uses. A kind without a module is held to the options
of its message (`machinery.validation`).
Modules directly in this package hold what several kinds share. Everything here is pure: dicts in, field errors out; any thread may call it.
"""
from __future__ import annotations

import importlib
from functools import cache, partial
from typing import Final

from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import validation
from kcore.machinery.kinds.rules import KindRules

_MODULES: Final[dict[tuple[str, str], str]] = {
    ("", "Binding"): "core.binding",
    ("", "ComponentStatus"): "core.componentstatus",
    ("", "ConfigMap"): "core.configmap",
    ("", "Endpoints"): "core.endpoints",
    ("", "Event"): "core.event",
    ("", "LimitRange"): "core.limitrange",
    ("", "Namespace"): "core.namespace",
    ("", "Node"): "core.node",
    ("", "PersistentVolume"): "core.persistentvolume",
    ("", "PersistentVolumeClaim"): "core.persistentvolumeclaim",
    ("", "Pod"): "core.pod",
    ("", "PodTemplate"): "core.podtemplate",
    ("", "ReplicationController"): "core.replicationcontroller",
    ("", "ResourceQuota"): "core.resourcequota",
    ("", "Secret"): "core.secret",
    ("", "Service"): "core.service",
    ("", "ServiceAccount"): "core.serviceaccount",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "admissionregistration.mutatingadmissionpolicy",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): "admissionregistration.mutatingadmissionpolicybinding",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "admissionregistration.webhook",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): "admissionregistration.validatingadmissionpolicy",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): "admissionregistration.validatingadmissionpolicybinding",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "admissionregistration.webhook",
    ("apiregistration.k8s.io", "APIService"): "apiregistration.apiservice",
    ("apps", "ControllerRevision"): "apps.controllerrevision",
    ("apps", "DaemonSet"): "apps.daemonset",
    ("apps", "Deployment"): "apps.deployment",
    ("apps", "ReplicaSet"): "apps.replicaset",
    ("apps", "StatefulSet"): "apps.statefulset",
    ("autoscaling", "HorizontalPodAutoscaler"): "autoscaling.horizontalpodautoscaler",
    ("autoscaling", "Scale"): "autoscaling.scale",
    ("batch", "CronJob"): "batch.cronjob",
    ("batch", "Job"): "batch.job",
    ("certificates.k8s.io", "CertificateSigningRequest"): "certificates.certificatesigningrequest",
    ("certificates.k8s.io", "ClusterTrustBundle"): "certificates.clustertrustbundle",
    ("coordination.k8s.io", "Lease"): "coordination.lease",
    ("discovery.k8s.io", "EndpointSlice"): "discovery.endpointslice",
    ("events.k8s.io", "Event"): "events.event",
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): "flowcontrol.flowschema",
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): "flowcontrol.prioritylevelconfiguration",
    ("networking.k8s.io", "IPAddress"): "networking.ipaddress",
    ("networking.k8s.io", "Ingress"): "networking.ingress",
    ("networking.k8s.io", "IngressClass"): "networking.ingressclass",
    ("networking.k8s.io", "NetworkPolicy"): "networking.networkpolicy",
    ("networking.k8s.io", "ServiceCIDR"): "networking.servicecidr",
    ("node.k8s.io", "RuntimeClass"): "node.runtimeclass",
    ("policy", "PodDisruptionBudget"): "policy.poddisruptionbudget",
    ("rbac.authorization.k8s.io", "ClusterRole"): "rbac.clusterrole",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "rbac.clusterrolebinding",
    ("rbac.authorization.k8s.io", "Role"): "rbac.role",
    ("rbac.authorization.k8s.io", "RoleBinding"): "rbac.rolebinding",
    ("resource.k8s.io", "DeviceClass"): "resource.deviceclass",
    ("resource.k8s.io", "DeviceTaintRule"): "resource.devicetaintrule",
    ("resource.k8s.io", "ResourceClaim"): "resource.resourceclaim",
    ("resource.k8s.io", "ResourceClaimTemplate"): "resource.resourceclaimtemplate",
    ("resource.k8s.io", "ResourceSlice"): "resource.resourceslice",
    ("scheduling.k8s.io", "PodGroup"): "scheduling.podgroup",
    ("scheduling.k8s.io", "PriorityClass"): "scheduling.priorityclass",
    ("scheduling.k8s.io", "Workload"): "scheduling.workload",
    ("storage.k8s.io", "CSIDriver"): "storage.csidriver",
    ("storage.k8s.io", "CSINode"): "storage.csinode",
    ("storage.k8s.io", "CSIStorageCapacity"): "storage.csistoragecapacity",
    ("storage.k8s.io", "StorageClass"): "storage.storageclass",
    ("storage.k8s.io", "VolumeAttachment"): "storage.volumeattachment",
    ("storage.k8s.io", "VolumeAttributesClass"): "storage.volumeattributesclass",
    ("storagemigration.k8s.io", "StorageVersionMigration"): "storagemigration.storageversionmigration",
}


@cache
def rules_of(group: str, kind: str, message: str, features: Features = NO_FEATURES) -> KindRules:
    """Return the rules of a kind with these features on; what the options of its message say if it has none of its own."""
    module = _MODULES.get((group, kind))
    if module is None:
        return KindRules(validate=partial(validation.validate, message), validate_update=partial(validation.validate_update, message))
    rules: KindRules = importlib.import_module(f"{__name__}.{module}").RULES
    return rules.with_features(features) if features and rules.gated else rules
