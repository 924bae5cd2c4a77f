"""What messages are called in OpenAPI documents: `kcore.api.core.v1.Pod` is `io.k8s.api.core.v1.Pod`."""

from __future__ import annotations

from typing import Final

from kcore.machinery.scheme import META, PACKAGE

API: Final = "io.k8s.api."
MACHINERY: Final = "io.k8s.apimachinery.pkg."

ELSEWHERE: Final = {
    "apiextensions.v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "apiregistration.v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
    "meta.v1": f"{MACHINERY}apis.meta.v1",
}
"""Packages that Kubernetes keeps in other modules than its API."""

MOVED: Final = {
    f"{META}.Quantity": f"{MACHINERY}api.resource.Quantity",
    f"{META}.IntOrString": f"{MACHINERY}util.intstr.IntOrString",
    f"{META}.RawExtension": f"{MACHINERY}runtime.RawExtension",
}
"""Messages of meta that belong to other packages of Kubernetes."""

INFO: Final = f"{MACHINERY}version.Info"
"""The document of `/version`, which is no message."""


def of(message: str) -> str:
    """The name of the schema of a message."""
    if message == INFO:
        return INFO
    if message in MOVED:
        return MOVED[message]
    package, _, kind = message.removeprefix(PACKAGE).rpartition(".")
    return f"{ELSEWHERE.get(package, API + package)}.{kind}"
