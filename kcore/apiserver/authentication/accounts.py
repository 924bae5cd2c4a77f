"""Tokens of service accounts: signed by this server, good as long as their account, and what they are bound to, is there.

A token is a JWT (RFC 7519); its claim `kubernetes.io` names the account and the pod, secret or node that it is bound to, each with its
uid. A token in a Secret of type `kubernetes.io/service-account-token` is of the older form, which does not expire with time.

Cost: some 0.2 ms to sign, and to check a signature, which is done once a token.
Source: Kubernetes `pkg/serviceaccount/claims.go`, `legacy.go`.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

import jwt

from kcore.apiserver.authentication.keys import ALGORITHM, ISSUER, SigningKey
from kcore.apiserver.objects import Stored
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.machinery import timestamp
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.request import User
from kcore.machinery.scheme import Scheme
from kcore.store.storage import Storage

Object = dict[str, Any]
Claims = dict[str, Any]

PRIVATE: Final = "kubernetes.io"
LEGACY_ISSUER: Final = "kubernetes/serviceaccount"
LEGACY: Final = "kubernetes.io/serviceaccount/"
USER: Final = "system:serviceaccount:"
ACCOUNTS: Final = "system:serviceaccounts"
EXTRA: Final = "authentication.kubernetes.io/"
WARNED_LIFE_S: Final = 3607
"""A token of this life is that of a pod's volume: it lives on for a year, so that clients that do not read it again go on."""
EXTENDED_LIFE_S: Final = 365 * 24 * 3600
DELETION_LEEWAY_S: Final = 60
"""A token is good so long after the grace of its pod has ended, as upstream has it."""

ACCOUNT_KIND: Final = GroupVersionKind("", "v1", "ServiceAccount")
SECRET_KIND: Final = GroupVersionKind("", "v1", "Secret")
BOUND: Final = {
    "pod": (GroupVersionKind("", "v1", "Pod"), True),
    "secret": (SECRET_KIND, True),
    "node": (GroupVersionKind("", "v1", "Node"), False),
}
"""What a token can be bound to: by its claim, the kind, and whether it has a namespace."""


class InvalidToken(Exception):
    """A token is good for nobody, or no longer; the text says why."""


class AccountTokens:
    """Signs and checks. Thread: the event loop's."""

    def __init__(
        self, key: SigningKey, scheme: Scheme, storage: Storage, clock: Clock, entropy: Entropy, issuer: str = ISSUER,
        audiences: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Over the accounts of a store; `audiences` are this server's own, without any its issuer."""
        self.key, self.scheme, self.storage, self.clock, self.entropy = key, scheme, storage, clock, entropy
        self.issuer, self.audiences = issuer, audiences or (issuer,)
        self.verified: OrderedDict[bytes, Claims] = OrderedDict()

    # signing

    def sign(self, account: Object, audiences: Iterable[str], life_s: int, bound: dict[str, Object]) -> str:
        """A token for an account.

        bound  the objects that it is bound to, by claim; a pod comes with its node if that is known
        """
        metadata, now, audiences = account["metadata"], int(self.clock.now()), list(audiences)
        own: Claims = {"namespace": metadata["namespace"], "serviceaccount": reference(account)}
        own |= {claim: reference(obj) for claim, obj in bound.items()}
        if "pod" in bound and life_s == WARNED_LIFE_S and set(audiences) <= set(self.audiences):
            own["warnafter"] = now + life_s
            life_s = EXTENDED_LIFE_S
        claims: Claims = {"aud": audiences, "exp": now + life_s, "iat": now, "iss": self.issuer, "jti": self.entropy.uid()}
        claims |= {PRIVATE: own, "nbf": now, "sub": f"{USER}{metadata['namespace']}:{metadata['name']}"}
        return jwt.encode(claims, self.key.private, ALGORITHM, {"kid": self.key.id})

    def sign_for_secret(self, account: Object, secret: str) -> str:
        """The token of a Secret of an account, in the older form."""
        metadata = account["metadata"]
        claims = {"iss": LEGACY_ISSUER, "sub": f"{USER}{metadata['namespace']}:{metadata['name']}", f"{LEGACY}secret.name": secret}
        claims |= {f"{LEGACY}namespace": metadata["namespace"], f"{LEGACY}service-account.name": metadata["name"]}
        claims[f"{LEGACY}service-account.uid"] = metadata["uid"]
        return jwt.encode(claims, self.key.private, ALGORITHM, {"kid": self.key.id})

    # checking

    def is_meant(self, token: str) -> bool:
        """Whether a token looks like one of these: a JWT of this issuer. Nothing is believed yet."""
        try:
            return jwt.decode(token, options={"verify_signature": False}).get("iss") in (self.issuer, LEGACY_ISSUER)
        except (jwt.PyJWTError, ValueError, RecursionError, AttributeError):
            return False

    def verify(self, token: str, audiences: tuple[str, ...]) -> tuple[User, tuple[str, ...]]:
        """Whom a token belongs to, and which of the audiences it is for. Raises InvalidToken."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        claims = self.verified.get(digest)
        if claims is None:
            claims = self.verified[digest] = self.signed(token)
            if len(self.verified) > limits.ACCOUNT_TOKENS_KNOWN_MAX:
                self.verified.popitem(last=False)
        if claims.get("iss") == LEGACY_ISSUER:
            shared = tuple(audience for audience in audiences if audience in self.audiences)
            user = self.user_of_secret(claims, token)
        else:
            shared = tuple(audience for audience in audiences if audience in listed(claims.get("aud")))
            user = self.user_of(claims)
        if not shared:
            meant = listed(claims.get("aud"))
            raise InvalidToken(f"token audiences {quoted(meant)} is invalid for the target audiences {quoted(audiences)}")
        return user, shared

    def signed(self, token: str) -> Claims:
        """The claims of a token that this server has signed. Raises InvalidToken."""
        checks = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
        try:
            found: Claims = jwt.decode(token, self.key.public, [ALGORITHM], options=checks)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken("invalid bearer token") from error
        return found

    def user_of(self, claims: Claims) -> User:
        """The user of a token that expires. Raises InvalidToken."""
        own, now = claims.get(PRIVATE), self.clock.now()
        if not isinstance(own, dict) or not isinstance(own.get("serviceaccount"), dict):
            raise InvalidToken("service account token is missing its claims")
        if not isinstance(claims.get("exp"), int) or now >= claims["exp"]:
            raise InvalidToken("service account token has expired")
        if now + 1 < claims.get("nbf", 0):
            raise InvalidToken("service account token is not valid yet")
        namespace, account = own.get("namespace", ""), own["serviceaccount"]
        self.require(ACCOUNT_KIND, namespace, account, now)
        extra: list[tuple[str, tuple[str, ...]]] = [(f"{EXTRA}credential-id", (f"JTI={claims.get('jti', '')}",))]
        for claim, (gvk, namespaced) in BOUND.items():
            if not isinstance(bound := own.get(claim), dict):
                continue
            if claim != "node" or "pod" not in own:  # beside a pod its node is only told
                self.require(gvk, namespace if namespaced else "", bound, now)
            if claim != "secret":
                extra += [(f"{EXTRA}{claim}-name", (bound.get("name", ""),))]
                extra += [(f"{EXTRA}{claim}-uid", (bound["uid"],))] if bound.get("uid") else []
        return user(namespace, account["name"], account["uid"], tuple(extra))

    def user_of_secret(self, claims: Claims, token: str) -> User:
        """The user of a token of the older form: its Secret must be there, and hold it. Raises InvalidToken."""
        parts = ("namespace", "service-account.name", "service-account.uid", "secret.name")
        namespace, name, uid, secret_name = (claims.get(f"{LEGACY}{part}") for part in parts)
        if not all(isinstance(part, str) and part for part in (namespace, name, uid, secret_name)):
            raise InvalidToken("service account token is missing its claims")
        assert isinstance(namespace, str) and isinstance(name, str) and isinstance(uid, str) and isinstance(secret_name, str)
        secret = self.find(SECRET_KIND, namespace, secret_name)
        if secret is None or secret["metadata"].get("deletionTimestamp"):
            raise InvalidToken("Token has been invalidated")
        if base64.b64decode((secret.get("data") or {}).get("token", "")) != token.encode():
            raise InvalidToken("Token does not match server's copy")
        self.require(ACCOUNT_KIND, namespace, {"name": name, "uid": uid}, self.clock.now())
        return user(namespace, name, uid, ())

    def require(self, gvk: GroupVersionKind, namespace: str, claimed: Object, now: float) -> None:
        """An object that a token names must be there, the same one, and not be gone for good. Raises InvalidToken."""
        name = claimed.get("name")
        found = self.find(gvk, namespace, name) if isinstance(name, str) and isinstance(namespace, str) else None
        if found is None or found["metadata"].get("uid") != claimed.get("uid"):
            raise InvalidToken("service account token has been invalidated")
        deleted = found["metadata"].get("deletionTimestamp")
        if deleted and timestamp.parse_time(deleted) + DELETION_LEEWAY_S < now:
            raise InvalidToken("service account token has been invalidated")

    def find(self, gvk: GroupVersionKind, namespace: str, name: str) -> Object | None:
        """An object as it is in the store."""
        spec = self.scheme.kinds[gvk]
        found = self.storage.get(spec.key(namespace, name))
        return None if found is None else Stored(spec, found).obj()


def user(namespace: str, name: str, uid: str, extra: tuple[tuple[str, tuple[str, ...]], ...]) -> User:
    """The user that a service account is."""
    return User(f"{USER}{namespace}:{name}", uid, (ACCOUNTS, f"{ACCOUNTS}:{namespace}"), extra)


def reference(obj: Object) -> Object:
    """An object as a claim names it; of a node that is gone only the name is known."""
    metadata = obj["metadata"]
    return {field: metadata[field] for field in ("name", "uid") if metadata.get(field)}


def listed(audiences: object) -> list[str]:
    """The audiences of a token, which may be one text."""
    return [audiences] if isinstance(audiences, str) else audiences if isinstance(audiences, list) else []


def quoted(audiences: Iterable[str]) -> str:
    """Audiences as Go prints them."""
    return "[" + " ".join(f'"{audience}"' for audience in audiences) + "]"
