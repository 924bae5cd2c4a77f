"""How to reach the API server that a kubeconfig tells of: its address, what vouches for it, and what is shown to it.

Source: client-go `tools/clientcmd`; the protocol of credential plugins, client.authentication.k8s.io.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kcore.base import limits

Entry = dict[str, Any]


class KubeconfigError(ValueError):
    """A kubeconfig that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Access:
    """The way to an API server.

    tls       None over plain HTTP
    headers   that go with each request
    tls_name  whom the server's certificate must name, if that is not the host of the address
    """

    address: str
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)
    proxy: str | None = None
    tls_name: str | None = None


def read(path: Path, context: str = "") -> Access:
    """The way that a file describes, in its current context if none is named. Raises KubeconfigError."""
    import yaml

    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return access(*chosen(content, context), path.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, ssl.SSLError) as error:
        raise KubeconfigError(f"{path}: {error}") from error


def chosen(content: Entry, context: str) -> tuple[Entry, Entry]:
    """The cluster and the user of a context. Raises KubeconfigError."""
    found = entry(content, "contexts", context or content.get("current-context") or "")["context"]
    user = entry(content, "users", found["user"])["user"] if found.get("user") else {}
    return entry(content, "clusters", found["cluster"])["cluster"], user or {}


def entry(content: Entry, plural: str, name: str) -> Entry:
    """What has a name in one of the lists. Raises KubeconfigError."""
    for each in content.get(plural) or ():
        if each["name"] == name:
            found: Entry = each
            return found
    raise KubeconfigError(f"{name!r} is none of the {plural}")


def access(cluster: Entry, user: Entry, folder: Path) -> Access:
    """The way to a cluster as a user; files are named from a folder. Raises KubeconfigError, OSError."""
    user = user if "exec" not in user else {**user, **issued(user["exec"], folder)}
    headers = {"Authorization": authorization} if (authorization := credential(user, folder)) else {}
    address = str(cluster["server"]).rstrip("/")
    tls = tls_of(cluster, user, folder) if address.startswith("https:") else None
    return Access(address, tls, headers, cluster.get("proxy-url"), cluster.get("tls-server-name"))


def credential(user: Entry, folder: Path) -> str:
    """The header Authorization of a user, '' for one who has none."""
    if token := user.get("token") or (user.get("tokenFile") and (folder / user["tokenFile"]).read_text().strip()):
        return f"Bearer {token}"
    if user.get("username"):
        return "Basic " + base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
    return ""


def tls_of(cluster: Entry, user: Entry, folder: Path) -> ssl.SSLContext:
    """What vouches for the server, and the certificate that is shown to it."""
    authority = held(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates of many clusters lack what it asks for, and Go does not ask
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, key = held(user, "client-certificate", folder), held(user, "client-key", folder)
    if certificate and key:
        with tempfile.NamedTemporaryFile() as file:  # which only its owner reads
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def held(owner: Entry, name: str, folder: Path) -> bytes:
    """What stands in an entry in base64, or in the file that it names; empty without either."""
    if data := owner.get(f"{name}-data"):
        return base64.b64decode(data)
    return (folder / owner[name]).read_bytes() if owner.get(name) else b""


def issued(plugin: Entry, folder: Path) -> Entry:
    """What a credential plugin issues, as the fields of a user. Raises KubeconfigError."""
    command = str(folder / plugin["command"]) if "/" in plugin["command"] else plugin["command"]
    asked = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    environment |= {each["name"]: each["value"] for each in plugin.get("env") or ()}
    try:
        done = subprocess.run(
            [command, *(plugin.get("args") or ())], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
            timeout=limits.CREDENTIAL_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        raise KubeconfigError(f"{command} issued no credential: {error}") from error
    status = json.loads(done.stdout)["status"]
    texts = {"client-certificate-data": "clientCertificateData", "client-key-data": "clientKeyData"}
    found = {name: base64.b64encode(status[source].encode()).decode() for name, source in texts.items() if source in status}
    return {**found, "token": status.get("token")}
