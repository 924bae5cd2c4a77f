"""What an expression may name: variables and messages, by where in which object it stands.

Source: Kubernetes apiserver `pkg/admission/plugin/cel/compile.go`, dynamic-resource-allocation `cel/compile.go`.
"""

from __future__ import annotations

from typing import NamedTuple

AUTHORIZER = "kubernetes.authorization.Authorizer"
VARIABLES = "kubernetes.variables"


class Scope(NamedTuple):
    """What is declared; equal scopes share one environment.

    variables  names and types, in the order of declaration
    composed   the fields of `variables`: what a policy computes before, and the type of each; None if there are none to name
    mutating   `Object{...}` and `JSONPatch{...}` may be made
    """

    variables: tuple[tuple[str, str], ...]
    composed: tuple[tuple[str, str], ...] | None = None
    mutating: bool = False


def admission(
    params: bool = False, authorizer: bool = True, composed: tuple[tuple[str, str], ...] | None = None, mutating: bool = False
) -> Scope:
    """The scope of expressions about a request: match conditions, validations, messages, mutations.

    params  the policy has a parameter
    """
    declared = [
        ("object", "dyn"), ("oldObject", "dyn"), ("request", "kubernetes.AdmissionRequest"), ("namespaceObject", "kubernetes.Namespace"),
    ]
    if params:
        declared.append(("params", "dyn"))
    if authorizer:
        declared += (("authorizer", AUTHORIZER), ("authorizer.requestResource", "kubernetes.authorization.ResourceCheck"))
    return Scope(tuple(declared), composed, mutating)


def device() -> Scope:
    """The scope of expressions that select devices."""
    return Scope((("device", "kubernetes.DRADevice"),))
