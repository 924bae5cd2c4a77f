"""TokenRequest: a token for a service account, for some audiences and some time, bound to a pod, secret or node if it is asked for.

Source: Kubernetes `pkg/registry/core/serviceaccount/storage/token.go`, `pkg/apis/authentication/validation`.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.apiserver.authentication.accounts import BOUND, AccountTokens
from kcore.apiserver.authorization import node_restriction
from kcore.apiserver.objects import Outcome
from kcore.apiserver.registry import Registry, Write
from kcore.apiserver.reviews.access import Handler
from kcore.machinery import codec, status, timestamp
from kcore.machinery import field_error as fe
from kcore.machinery.gvk import GroupVersionKind, split_api_version
from kcore.machinery.scheme import KindSpec

Object = dict[str, Any]
GROUP: Final = "authentication.k8s.io"
KIND: Final = "TokenRequest"
MESSAGE: Final = "kcore.api.authentication.v1.TokenRequest"
LIFE_S: Final = 3600
LIFE_S_MIN: Final = 600
LIFE_S_MAX: Final = 1 << 32


def handlers(tokens: AccountTokens) -> dict[tuple[str, str], Handler]:
    """What a create of a token does."""

    def create(registry: Registry, write: Write, obj: Object) -> Outcome:
        check_place(write, obj.get("metadata") or {})
        account = registry.require(write.spec, write.namespace, write.name).obj()
        spec = obj.get("spec") or {}
        audiences = spec.get("audiences") or list(tokens.audiences)
        life_s = LIFE_S if spec.get("expirationSeconds") is None else spec["expirationSeconds"]
        check_spec(spec, life_s)
        bound = bound_objects(registry, write, spec.get("boundObjectRef"))
        node_restriction.admit_token(write, spec.get("boundObjectRef") or {}, bound.get("pod"), registry.chain.cluster)
        now = registry.clock.now()
        token = tokens.sign(account, audiences, life_s, bound)
        metadata = {"name": write.name, "namespace": write.namespace, "uid": account["metadata"]["uid"]}
        shown: Object = {
            "metadata": {**(obj.get("metadata") or {}), **metadata, "creationTimestamp": registry.now()},
            "spec": {"audiences": audiences, "expirationSeconds": life_s, "boundObjectRef": spec.get("boundObjectRef")},
            "status": {"token": token, "expirationTimestamp": timestamp.format_time(int(now) + life_s)},
        }
        return Outcome(MESSAGE, f"{GROUP}/v1", KIND, codec.encode(MESSAGE, shown), created=True, name=write.name)

    return {("serviceaccounts", "token"): create}


def check_place(write: Write, metadata: Object) -> None:
    """The request is about the account of its path. Raises StatusError."""
    if metadata.get("namespace") and metadata["namespace"] != write.namespace:
        raise status.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if metadata.get("name") and metadata["name"] != write.name:
        error = fe.invalid("metadata.name", metadata["name"], "must match the service account name if specified")
        raise status.invalid(GROUP, KIND, write.name, [error])


def check_spec(spec: Object, life_s: int) -> None:
    """Raises StatusError for a life that is too short or too long, and for attestations, which are for webhooks alone."""
    sentence = ""
    if spec.get("attestations"):
        detail = "attestations may only be specified with a webhook bound object reference"
        raise status.invalid(GROUP, KIND, "", [fe.invalid("spec.attestations", spec["attestations"], detail)])
    if life_s < LIFE_S_MIN:
        sentence = "may not specify a duration less than 10 minutes"
    elif life_s > LIFE_S_MAX:
        sentence = "may not specify a duration larger than 2^32 seconds"
    if sentence:
        raise status.invalid(GROUP, KIND, "", [fe.invalid("spec.expirationSeconds", life_s, sentence)])


def bound_objects(registry: Registry, write: Write, reference: Object | None) -> dict[str, Object]:
    """What the token is bound to, by claim; a pod that has a node comes with it. Raises StatusError."""
    if reference is None:
        return {}
    group, version = split_api_version(reference.get("apiVersion", ""))
    gvk = GroupVersionKind(group, version, reference.get("kind", ""))
    claim = gvk.kind.lower()
    if gvk.group or gvk.kind not in ("Pod", "Secret", "Node"):
        raise status.bad_request(f"cannot bind token to object of type {gvk.group}/{gvk.version}, Kind={gvk.kind}")
    spec, name = spec_of(registry, claim), reference.get("name", "")
    found = registry.require(spec, write.namespace if spec.namespaced else "", name).obj()
    if claim == "pod" and (found.get("spec") or {}).get("serviceAccountName", "") != write.name:
        sentence = f'cannot bind token for serviceaccount "{write.name}" to pod running with different serviceaccount name.'
        raise status.bad_request(sentence)
    uid, wanted = found["metadata"]["uid"], reference.get("uid")
    if wanted and wanted != uid:
        sentence = (
            f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict(gvk.kind, gvk.group, name, sentence)
    bound = {claim: found}
    if claim == "pod" and (node := (found.get("spec") or {}).get("nodeName")):
        stored = registry.head(spec_of(registry, "node"), "", node)
        bound["node"] = {"metadata": {"name": node}} if stored is None else stored.obj()
    return bound


def spec_of(registry: Registry, claim: str) -> KindSpec:
    """The kind behind a claim."""
    return registry.scheme.kinds[BOUND[claim][0]]
