"""Connections to containers: which pod, node or Service is meant, and why there is nothing to connect to.

Hollow nodes run no process, so exec, attach, port-forward and proxy end here, after what Kubernetes checks before it asks a kubelet.
Source: apiserver `pkg/registry/core/pod/strategy.go` (streamLocation), `pkg/registry/core/pod/rest/subresources.go`.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.apiserver.logs.options import container_of
from kcore.machinery import status
from kcore.machinery.field_error import quote

Object = dict[str, Any]
STREAMS: Final = ("exec", "attach", "portforward")
PROXY: Final = "proxy"
CONNECTIONS: Final = (*STREAMS, PROXY)
SCHEME_NAME_PORT: Final = 3


def addressee(kind: str, name: str) -> str:
    """Whom a proxy is asked for: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. Raises StatusError (400)."""
    parts = name.split(":")
    found = parts[1] if len(parts) == SCHEME_NAME_PORT else parts[0]
    scheme = parts[0] if len(parts) == SCHEME_NAME_PORT else ""
    if len(parts) > SCHEME_NAME_PORT or not found or scheme not in ("", "http", "https"):
        raise status.bad_request(f"invalid {kind.lower()} request {quote(name)}")
    return found


def refusal(obj: Object, resource: str, subresource: str, options: Object) -> status.StatusError:
    """Why a connection to an object that is there cannot be made. Raises StatusError (400) if it is not said to what."""
    name = obj["metadata"]["name"]
    if subresource in ("exec", "attach"):
        container_of(obj, options.get("container", ""))
    if subresource in STREAMS and not (obj.get("spec") or {}).get("nodeName"):
        raise status.bad_request(f"pod {name} does not have a host assigned")
    return status.failure("MethodNotAllowed", f'{resource}/{subresource} of "{name}" is not possible: hollow nodes run no process', {})
