"""Who a request comes from."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kcore.apiserver.authentication import Authenticator, TokenFileError, keys, read_token_file
from kcore.apiserver.authentication.chain import warnings
from kcore.base.clock import VirtualClock
from kcore.machinery.request import ANONYMOUS, User
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, pod, reason_of

DAY_S = 86400.0
UNKNOWN = (401, "Unauthorized")


def refused(authenticator: Authenticator, *shown: Any) -> tuple[int, str]:
    with pytest.raises(StatusError) as failed:
        authenticator.authenticate(*shown)
    return reason_of(failed.value)


def certificate(name: str, *groups: str, until: datetime.datetime) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    names += [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
    subject = x509.Name(names)
    start = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, until)
    return builder.sign(key, hashes.SHA256())


def test_a_token_file_names_users_and_groups() -> None:
    users = read_token_file(['secret,alice,7,"a, b"', "", "other,bob,8"])
    assert users == {"secret": User("alice", "7", ("a", "b")), "other": User("bob", "8")}
    with pytest.raises(TokenFileError, match="line 2"):
        read_token_file(["a,b,c", "no user"])


def test_a_bearer_token_says_who_calls() -> None:
    authenticator = Authenticator({"secret": User("alice", "7", ("a",))})
    for right in ("Bearer secret", "bearer secret", " Bearer secret", "Bearer secret x"):
        assert authenticator.authenticate(right).groups == ("a", "system:authenticated")
    for wrong in ("Bearer secre", "Bearer secret2", "Bearer a.b.c", f"Bearer {'x' * 40_000}"):
        assert refused(authenticator, wrong) == UNKNOWN


def test_what_is_no_bearer_token_is_as_none() -> None:
    authenticator = Authenticator({"secret": User("alice")})
    for none in (None, "", "Basic secret", "Bearer", "Bearer  secret", "Token secret"):
        assert authenticator.authenticate(none) is ANONYMOUS
    assert warnings("Bearer  secret") and not warnings("Bearer secret") and not warnings(None)


@pytest.mark.parametrize("encoding", [serialization.Encoding.DER, serialization.Encoding.PEM])
def test_a_client_certificate_names_a_user_and_groups(encoding: serialization.Encoding) -> None:
    clock = VirtualClock(horizon=0.0)
    authenticator = Authenticator({"secret": User("alice")}, clock=clock)
    until = datetime.datetime.fromtimestamp(int(clock.now() + DAY_S), datetime.UTC)
    shown = certificate("bob", "g1", "g2", until=until).public_bytes(encoding)
    found = authenticator.authenticate("Bearer secret", shown)
    assert (found.name, found.groups) == ("bob", ("g1", "g2", "system:authenticated"))
    [(key, (fingerprint,))] = found.extra
    assert key == "authentication.kubernetes.io/credential-id" and fingerprint.startswith("X509SHA256=")
    nobody = certificate("", "g1", until=until).public_bytes(encoding)
    assert authenticator.authenticate("Bearer secret", nobody).name == "alice"
    ended = certificate("bob", until=until - datetime.timedelta(days=2)).public_bytes(encoding)
    assert refused(authenticator, None, ended) == UNKNOWN
    assert refused(authenticator, None, b"no certificate") == UNKNOWN


# service accounts


async def token_of(api: Api, body: Any = None) -> str:
    """A token of the account `default`."""
    found: str = (await api.write("create", "serviceaccounts/token", "default", body or {"spec": {}}))["status"]["token"]
    return found


async def test_a_service_account_token_is_good_until_it_ends(api: Api) -> None:
    authenticator = api.server.authenticator({})
    token = await token_of(api, {"spec": {"expirationSeconds": 600}})
    found = authenticator.authenticate(f"Bearer {token}")
    groups = ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated")
    assert (found.name, found.groups) == ("system:serviceaccount:default:default", groups)
    assert found.uid == api.get("serviceaccounts", "default")["metadata"]["uid"]
    head, claims, signature = token.split(".")
    forged = f"{head}.{claims}.{'A' * len(signature)}"
    assert refused(authenticator, f"Bearer {forged}") == UNKNOWN
    api.clock.jump(601)
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN


async def test_a_token_for_other_audiences_is_refused(api: Api) -> None:
    authenticator = api.server.authenticator({})
    token = await token_of(api, {"spec": {"audiences": ["vault"]}})
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN
    review = await api.create("tokenreviews", {"spec": {"token": token, "audiences": ["vault", "other"]}})
    assert review["status"]["authenticated"] and review["status"]["audiences"] == ["vault"]


async def test_a_token_of_an_account_that_came_again_is_refused(api: Api) -> None:
    authenticator = api.server.authenticator({})
    token = await token_of(api)
    await api.delete("serviceaccounts", "default")
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN
    await api.create("serviceaccounts", {"metadata": {"name": "default"}})
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN


async def test_a_token_bound_to_a_pod_ends_with_it(api: Api) -> None:
    authenticator = api.server.authenticator({})
    await api.create("pods", pod("p"))
    token = await token_of(api, {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}})
    extra = dict(authenticator.authenticate(f"Bearer {token}").extra)
    assert extra["authentication.kubernetes.io/pod-name"] == ("p",)
    await api.delete("pods", "p", gracePeriodSeconds=0)
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN


async def test_a_token_in_a_secret_is_good_as_long_as_the_secret_holds_it(api: Api) -> None:
    authenticator = api.server.authenticator({})
    account = api.get("serviceaccounts", "default")
    token = api.server.tokens.sign_for_secret(account, "t")
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN
    about = {"kubernetes.io/service-account.name": "default", "kubernetes.io/service-account.uid": account["metadata"]["uid"]}
    metadata = {"name": "t", "annotations": about}
    secret = {"metadata": metadata, "type": "kubernetes.io/service-account-token", "stringData": {"token": token}}
    await api.create("secrets", secret)
    assert authenticator.authenticate(f"Bearer {token}").name == "system:serviceaccount:default:default"
    await api.delete("secrets", "t")
    assert refused(authenticator, f"Bearer {token}") == UNKNOWN


async def test_others_can_check_tokens_by_what_the_server_publishes(api: Api) -> None:
    token = await token_of(api, {"spec": {"audiences": ["vault"]}})
    about = json.loads(keys.configuration(api.server.tokens.issuer, "host:6443"))
    assert about["jwks_uri"] == "https://host:6443/openid/v1/jwks"
    [key] = jwt.PyJWKSet.from_json(api.server.tokens.key.jwks().decode()).keys
    assert key.key_id == jwt.get_unverified_header(token)["kid"]
    times = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(token, key, ["ES256"], audience="vault", issuer=about["issuer"], options=times)
    assert claims["sub"] == "system:serviceaccount:default:default"


def test_a_token_of_another_server_is_refused(tmp_path: Path, api: Api) -> None:
    other = Api(tmp_path / "other")
    account = {"metadata": {"name": "default", "namespace": "default", "uid": "u"}}
    token = other.server.tokens.sign(account, ["https://kubernetes.default.svc"], 600, {})
    assert refused(api.server.authenticator({}), f"Bearer {token}") == UNKNOWN
    other.close()
