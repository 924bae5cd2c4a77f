"""The file through which kubectl and client libraries find the HTTPS port; DIR/kubeconfig, and where the user asks for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from kcore.base.config import DataDir, Endpoints, write_private

NAME = "kcore"


def content(where: Endpoints) -> dict[str, Any]:
    """A kubeconfig of one cluster, with all that it needs inside."""
    cluster: dict[str, Any] = {"server": where.rest}
    if where.ca is not None:
        cluster["certificate-authority-data"] = base64.b64encode(Path(where.ca).read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": where.token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }


def write(directory: DataDir, where: Endpoints, besides: Path | None) -> None:
    """Write the file, if there is an HTTPS port. JSON is YAML, so that no YAML writer is imported."""
    if where.rest is None:
        return
    text = json.dumps(content(where), indent=2).encode() + b"\n"
    for path in (directory.kubeconfig, besides):
        if path is not None:
            write_private(path, text)
