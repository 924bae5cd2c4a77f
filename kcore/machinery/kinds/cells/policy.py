"""Cells of what rules: quotas, roles, admission, flow control, certificates, claims of devices, and of what is stored plainly.

Source: Kubernetes `pkg/printers/internalversion/printers.go`, recorded tables of 1.37.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.machinery import ages
from kcore.machinery.kinds.cells.forms import NONE, UNSET, Cell, Cells, Object, at, count, is_true, part, plain

ADMISSION: Final = "admissionregistration.k8s.io"
CERTIFICATES: Final = "certificates.k8s.io"
FLOW: Final = "flowcontrol.apiserver.k8s.io"
RBAC: Final = "rbac.authorization.k8s.io"
APPROVED: Final = "Approved"
DENIED: Final = "Denied"


def quota(of_limits: bool) -> Cell:
    """`pods: 3/10`: used of hard, of limits or of all else."""

    def compute(obj: Object) -> str:
        hard, used = part(obj, "status.hard") or {}, part(obj, "status.used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits") == of_limits]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return plain(compute)


def subjects(kind: str) -> Cell:
    """Names of the subjects of a kind."""

    def compute(obj: Object) -> str:
        found = [each for each in obj.get("subjects") or () if each.get("kind") == kind]
        return ", ".join(f"{each['namespace']}/{each['name']}" if each.get("namespace") else each.get("name", "") for each in found)

    return plain(compute)


def role(obj: Object) -> str:
    """`Role/reader`."""
    return f"{part(obj, 'roleRef.kind')}/{part(obj, 'roleRef.name')}"


def parameters(obj: Object) -> str:
    """`namespace/name`, or what selects the parameters of a binding."""
    found = part(obj, "spec.paramRef")
    if not found:
        return UNSET
    name = found.get("name") or "*"
    return f"{found['namespace']}/{name}" if found.get("namespace") else f"*/{name}"


def parameter_kind(obj: Object) -> str:
    """`v1/ConfigMap`."""
    found = part(obj, "spec.paramKind")
    return f"{found.get('apiVersion', '')}/{found.get('kind', '')}" if found else UNSET


def request_condition(obj: Object) -> str:
    """How far a certificate request came."""
    held = {each.get("type") for each in part(obj, "status.conditions") or ()}
    words = [DENIED if DENIED in held else APPROVED if APPROVED in held else "Pending"]
    words += ["Failed"] if "Failed" in held else []
    words += ["Issued"] if part(obj, "status.certificate") else []
    return ",".join(words)


def requested(obj: Object) -> str:
    """For how long a certificate is asked for."""
    seconds = part(obj, "spec.expirationSeconds")
    return NONE if seconds is None else ages.duration(seconds)


def claim_state(obj: Object) -> str:
    """How far a claim of devices came."""
    words = ["deleted"] if obj["metadata"].get("deletionTimestamp") else []
    if part(obj, "status.allocation") is not None:
        words += ["allocated", "reserved"] if part(obj, "status.reservedFor") else ["allocated"]
    return ",".join(words or ["pending"])


def migrated(obj: Object) -> str:
    """`deployments.apps`: what is migrated."""
    found = part(obj, "spec.resource") or {}
    return f"{found.get('resource', '')}{'.' + found['group'] if found.get('group') else ''}"


def service(obj: Object) -> str:
    """Who serves an API."""
    found = part(obj, "spec.service")
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else "Local"


def limited(path: str) -> Cell:
    """A number of a priority level that limits."""
    return plain(lambda obj: NONE if part(obj, path) is None else part(obj, path))


def available(obj: Object) -> Any:
    """Whether an API can be reached; None as long as nobody looked."""
    found = next((each for each in part(obj, "status.conditions") or () if each.get("type") == "Available"), None)
    if found is None:
        return None
    return "True" if found.get("status") == "True" else f"{found.get('status')} ({found.get('reason', '')})"


def missing_level(obj: Object) -> Any:
    """Whether a flow schema's priority level is not there; a question mark as long as nobody looked."""
    return next((each.get("status") for each in part(obj, "status.conditions") or () if each.get("type") == "Dangling"), "?")


def by_precedence(obj: Object) -> tuple[int, str]:
    """Where a flow schema stands among others: that which is asked first comes first."""
    return part(obj, "spec.matchingPrecedence") or 0, obj["metadata"].get("name", "")


QUEUING: Final = "spec.limited.limitResponse.queuing"
BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
CELLS: Final[Cells] = {
    ("", "ConfigMap", "Data"): plain(lambda obj: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())),
    ("", "Secret", "Data"): count("data"),
    ("coordination.k8s.io", "Lease", "Holder"): at("spec.holderIdentity", ""),
    ("", "ResourceQuota", "Request"): quota(of_limits=False),
    ("", "ResourceQuota", "Limit"): quota(of_limits=True),
    **{(RBAC, kind, "Role"): plain(role) for kind in BINDINGS},
    **{(RBAC, kind, "Users"): subjects("User") for kind in BINDINGS},
    **{(RBAC, kind, "Groups"): subjects("Group") for kind in BINDINGS},
    **{(RBAC, kind, "ServiceAccounts"): subjects("ServiceAccount") for kind in BINDINGS},
    **{(ADMISSION, f"{kind}WebhookConfiguration", "Webhooks"): count("webhooks") for kind in ("Mutating", "Validating")},
    **{(ADMISSION, f"{kind}AdmissionPolicy", "ParamKind"): plain(parameter_kind) for kind in ("Mutating", "Validating")},
    **{(ADMISSION, f"{kind}AdmissionPolicyBinding", "ParamRef"): plain(parameters) for kind in ("Mutating", "Validating")},
    (ADMISSION, "MutatingAdmissionPolicy", "Mutations"): count("spec.mutations"),
    (ADMISSION, "ValidatingAdmissionPolicy", "Validations"): count("spec.validations"),
    (CERTIFICATES, "CertificateSigningRequest", "RequestedDuration"): plain(requested),
    (CERTIFICATES, "CertificateSigningRequest", "Condition"): plain(request_condition),
    (FLOW, "FlowSchema", "DistinguisherMethod"): at("spec.distinguisherMethod.type", NONE),
    (FLOW, "FlowSchema", "MissingPL"): plain(missing_level),
    (FLOW, "PriorityLevelConfiguration", "NominalConcurrencyShares"): limited("spec.limited.nominalConcurrencyShares"),
    (FLOW, "PriorityLevelConfiguration", "Queues"): limited(f"{QUEUING}.queues"),
    (FLOW, "PriorityLevelConfiguration", "HandSize"): limited(f"{QUEUING}.handSize"),
    (FLOW, "PriorityLevelConfiguration", "QueueLengthLimit"): limited(f"{QUEUING}.queueLengthLimit"),
    ("apiregistration.k8s.io", "APIService", "Service"): plain(service),
    ("apiregistration.k8s.io", "APIService", "Available"): plain(available),
    ("resource.k8s.io", "ResourceClaim", "State"): plain(claim_state),
    ("resource.k8s.io", "ResourceSlice", "Node"): at("spec.nodeName", ""),
    ("storagemigration.k8s.io", "StorageVersionMigration", "Resource"): plain(migrated),
    ("storagemigration.k8s.io", "StorageVersionMigration", "Status"): plain(
        lambda obj: next((each for each in ("Succeeded", "Failed", "Running") if is_true(obj, each)), "Unknown")
    ),
}
