"""The order in which Kubernetes writes the fields of an object, where it is not that of their numbers.

An error about a patched text shows the text, so the order is seen. Fields were numbered as they came, and stand in their types where they
belong; the types below are those in which this differs.
Source: k8s.io/api `types.go` of the groups.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.machinery.codec import Table, tables
from kcore.machinery.codec.tables import FieldSpec

_CONTAINER: Final = (
    "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules volumeMounts "
    "volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy "
    "securityContext stdin stdinOnce tty"
)
_WEBHOOK: Final = (
    "name clientConfig rules failurePolicy matchPolicy namespaceSelector objectSelector sideEffects timeoutSeconds admissionReviewVersions"
)
_WRITTEN: Final = {
    "admissionregistration.v1.MutatingWebhook": f"{_WEBHOOK} reinvocationPolicy matchConditions",
    "admissionregistration.v1.ValidatingWebhook": f"{_WEBHOOK} matchConditions",
    "apiextensions.v1.CustomResourceDefinitionVersion": (
        "name served storage deprecated deprecationWarning schema subresources additionalPrinterColumns selectableFields"
    ),
    "apps.v1.DeploymentStatus": (
        "observedGeneration replicas updatedReplicas readyReplicas availableReplicas unavailableReplicas terminatingReplicas conditions "
        "collisionCount"
    ),
    "apps.v1.ReplicaSetSpec": "replicas minReadySeconds selector template",
    "apps.v1.ReplicaSetStatus": (
        "replicas fullyLabeledReplicas readyReplicas availableReplicas terminatingReplicas observedGeneration conditions"
    ),
    "autoscaling.v2.HPAScalingRules": "stabilizationWindowSeconds selectPolicy policies tolerance",
    "batch.v1.CronJobSpec": (
        "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit"
    ),
    "batch.v1.JobSpec": (
        "parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit backoffLimitPerIndex maxFailedIndexes "
        "selector manualSelector template ttlSecondsAfterFinished completionMode suspend podReplacementPolicy managedBy scheduling"
    ),
    "batch.v1.JobStatus": (
        "conditions startTime completionTime active succeeded failed terminating completedIndexes failedIndexes "
        "uncountedTerminatedPods ready"
    ),
    "certificates.v1.CertificateSigningRequestCondition": "type status reason message lastUpdateTime lastTransitionTime",
    "certificates.v1.CertificateSigningRequestSpec": "request signerName expirationSeconds usages username uid groups extra",
    "core.v1.Container": _CONTAINER,
    "core.v1.EphemeralContainer": f"{_CONTAINER} targetContainerName",
    "core.v1.EndpointAddress": "ip hostname nodeName targetRef",
    "core.v1.NodeSpec": "podCIDR podCIDRs providerID unschedulable taints configSource externalID podPreemptionPolicy",
    "core.v1.PersistentVolumeClaimSpec": (
        "accessModes selector resources volumeName storageClassName volumeMode dataSource dataSourceRef volumeAttributesClassName"
    ),
    "core.v1.PodSecurityContext": (
        "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy fsGroup sysctls "
        "fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy"
    ),
    "core.v1.PodSpec": (
        "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy "
        "nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC "
        "shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases "
        "priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead "
        "topologySpreadConstraints setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride "
        "schedulingGroup evictionResponders"
    ),
    "core.v1.PodStatus": (
        "observedGeneration phase conditions message reason nominatedNodeName hostIP hostIPs podIP podIPs startTime initContainerStatuses "
        "containerStatuses qosClass ephemeralContainerStatuses resize resourceClaimStatuses extendedResourceClaimStatus "
        "allocatedResources resources nodeAllocatableResourceClaimStatuses volumeHealth"
    ),
    "core.v1.ReplicationControllerSpec": "replicas minReadySeconds selector template",
    "core.v1.ReplicationControllerStatus": (
        "replicas fullyLabeledReplicas readyReplicas availableReplicas observedGeneration conditions"
    ),
    "core.v1.SecurityContext": (
        "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem "
        "allowPrivilegeEscalation procMount seccompProfile appArmorProfile"
    ),
    "core.v1.ServicePort": "name protocol appProtocol port targetPort nodePort",
    "core.v1.ServiceSpec": (
        "ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges externalName "
        "externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ipFamilies ipFamilyPolicy "
        "allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution"
    ),
    "core.v1.VolumeMount": "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr bindMountOptions",
    "meta.v1.OwnerReference": "apiVersion kind name uid controller blockOwnerDeletion",
    "networking.v1.HTTPIngressPath": "path pathType backend",
    "networking.v1.IngressSpec": "ingressClassName defaultBackend tls rules",
}
_PLACES: Final = {f"kcore.api.{name}": {field: place for place, field in enumerate(text.split())} for name, text in _WRITTEN.items()}


def in_field_order(table: Table, obj: dict[str, Any]) -> dict[str, Any]:
    """An object of a message with its fields as Kubernetes writes them; those of which nothing is known stay at the end, as they are."""
    specs = _fields(table)
    places = _PLACES.get(table.name) or {name: place for place, name in enumerate(specs)}
    known = sorted(specs.keys() & obj.keys(), key=lambda name: places.get(name, len(places) + specs[name].number))
    first = [name for name in ("kind", "apiVersion") if name in obj and name not in specs]
    rest = [name for name in obj if name not in specs and name not in first]
    return {name: _value(specs[name], obj[name]) if name in specs else obj[name] for name in (*first, *known, *rest)}


def _fields(table: Table) -> dict[str, FieldSpec]:
    """The fields of a message's JSON object, those of inline messages where these stand."""
    found: dict[str, FieldSpec] = {}
    for spec in map(FieldSpec._make, table.describe()):
        found |= _fields(spec.table) if spec.inline and spec.table is not None else {spec.name: spec}
    return found


def _value(spec: FieldSpec, value: Any) -> Any:
    if spec.label == tables.MAP and isinstance(value, dict):
        return {name: _single(spec, value[name]) for name in sorted(value)}
    if spec.label == tables.LIST and isinstance(value, list):
        return [_single(spec, item) for item in value]
    return _single(spec, value)


def _single(spec: FieldSpec, value: Any) -> Any:
    if spec.kind == tables.OBJECT and spec.table is not None and isinstance(value, dict):
        return in_field_order(spec.table, value)
    return value
