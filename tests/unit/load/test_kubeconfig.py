"""The way to an API server, out of a kubeconfig."""

from __future__ import annotations

import base64
import datetime
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcore.load.kubeconfig import Access, KubeconfigError, read
from kcore.serve import pki

HTTPS = "https://there:6443"


def written(folder: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
    """A file with two contexts, of which the second leads elsewhere."""
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "http://here", **cluster}}, {"name": "d", "cluster": {"server": HTTPS}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}, {"name": "two", "context": {"cluster": "d"}}],
        "current-context": "one",
    }
    file = folder / "config"
    file.write_text(yaml.dump(content))
    return file


@pytest.fixture
def authority(tmp_path: Path) -> dict[str, Path]:
    """A CA, and a key of its own."""
    pki.ensure_ca(tmp_path, datetime.datetime.now(datetime.UTC))
    return {"certificate": tmp_path / "ca.crt", "key": tmp_path / "ca.key"}


def test_a_context_leads_to_a_cluster_as_a_user(tmp_path: Path) -> None:
    file = written(tmp_path, {"token": "t"})
    assert read(file) == Access("http://here", None, {"Authorization": "Bearer t"})
    other = read(file, "two")
    assert (other.address, other.headers) == (HTTPS, {}) and other.tls is not None


def test_an_address_may_have_a_path_a_proxy_and_another_name(tmp_path: Path) -> None:
    found = read(written(tmp_path, server="http://here/k8s/clusters/c/", **{"proxy-url": "http://proxy", "tls-server-name": "inner"}))
    assert (found.address, found.proxy, found.tls_name) == ("http://here/k8s/clusters/c", "http://proxy", "inner")


def test_a_token_may_lie_in_a_file_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert read(written(tmp_path, {"tokenFile": "token"})).headers == {"Authorization": "Bearer secret"}


def test_a_name_and_a_password_are_shown_as_basic_authorization(tmp_path: Path) -> None:
    found = read(written(tmp_path, {"username": "me", "password": "pw"})).headers["Authorization"]
    assert base64.b64decode(found.removeprefix("Basic ")) == b"me:pw"


@pytest.mark.parametrize("inline", [True, False])
def test_authorities_and_certificates_stand_in_the_file_or_beside_it(tmp_path: Path, authority: dict[str, Path], inline: bool) -> None:
    def named(name: str, path: Path) -> dict[str, str]:
        return {f"{name}-data": base64.b64encode(path.read_bytes()).decode()} if inline else {name: path.name}

    user = {**named("client-certificate", authority["certificate"]), **named("client-key", authority["key"])}
    found = read(written(tmp_path, user, server=HTTPS, **named("certificate-authority", authority["certificate"]))).tls
    assert found is not None
    assert found.cert_store_stats()["x509_ca"] == 1 and found.verify_mode == ssl.CERT_REQUIRED
    with pytest.raises(KubeconfigError, match="config: "):
        read(written(tmp_path, {**user, **named("client-key", authority["certificate"])}, server=HTTPS))


def test_a_certificate_goes_unchecked_only_where_the_file_says_so(tmp_path: Path) -> None:
    found = read(written(tmp_path, server=HTTPS, **{"insecure-skip-tls-verify": True})).tls
    assert found is not None and found.verify_mode == ssl.CERT_NONE and not found.check_hostname


def test_a_plugin_issues_the_credential(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text('#!/bin/sh\nprintf \'{"kind": "ExecCredential", "status": {"token": "%s of %s"}}\' "$1" "$WHO"\n')
    plugin.chmod(0o755)
    described = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["token"]}
    found = read(written(tmp_path, {"exec": {**described, "env": [{"name": "WHO", "value": "me"}]}}))
    assert found.headers == {"Authorization": "Bearer token of me"}
    plugin.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(KubeconfigError, match="issued no credential"):
        read(written(tmp_path, {"exec": described}))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"current-context": "gone", "contexts": []}, "'gone' is none of the contexts"),
        ({"contexts": None}, "'' is none of the contexts"),
        ([1], "config: "),
        ("{", "config: "),
    ],
)
def test_a_file_that_leads_nowhere_is_refused_with_its_name(tmp_path: Path, content: Any, sentence: str) -> None:
    file = tmp_path / "config"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(KubeconfigError, match=sentence):
        read(file)
