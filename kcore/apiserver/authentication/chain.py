"""The chain of authenticators."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from kcore.apiserver.authentication import impersonation as acting
from kcore.apiserver.authentication.accounts import AccountTokens, InvalidToken
from kcore.apiserver.authentication.certificate import Named, named_by
from kcore.apiserver.authorization import Authorizer
from kcore.base import limits
from kcore.base.clock import Clock, SystemClock
from kcore.machinery import status
from kcore.machinery.request import ANONYMOUS, User

AUTHENTICATED: Final = acting.AUTHENTICATED
BEARER: Final = "bearer"
EXTRA_SPACE: Final = "the provided Authorization header contains extra space before the bearer token, and is ignored"
NOBODY: Final = "invalid bearer token"


class Known(NamedTuple):
    """Whom a token belongs to, and the audiences it is for; none are those of this server."""

    user: User
    audiences: tuple[str, ...] = ()


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header; '' if it holds none, whatever else it is."""
    parts = authorization.strip().split(" ", 2) if authorization else ()
    return parts[1] if len(parts) > 1 and parts[0].lower() == BEARER else ""


def warnings(authorization: str | None) -> list[str]:
    """What to warn the sender of an Authorization header of."""
    parts = authorization.strip().split(" ", 2) if authorization else ()
    return [EXTRA_SPACE] if len(parts) == 3 and parts[0].lower() == BEARER and not parts[1] else []


def authenticated(user: User) -> User:
    """The user with the group of all who are known."""
    if AUTHENTICATED in user.groups or acting.UNAUTHENTICATED in user.groups or user.name == ANONYMOUS.name:
        return user
    return user._replace(groups=(*user.groups, AUTHENTICATED))


class Authenticator:
    """The chain. Thread: the event loop's.

    tokens      users by their tokens, of the token file and of the parts
    accounts    the tokens of service accounts; without them there are none
    authorizer  says who may act as whom; without it nobody may
    """

    def __init__(
        self,
        tokens: Mapping[str, User],
        accounts: AccountTokens | None = None,
        authorizer: Authorizer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.users = {digest(token): authenticated(user) for token, user in tokens.items()}
        self.accounts, self.authorizer, self.clock = accounts, authorizer, clock or SystemClock()
        self.certificates: dict[bytes, Named] = {}

    def authenticate(
        self, authorization: str | None, certificate: bytes | None = None, impersonation: Iterable[tuple[str, str]] = ()
    ) -> User:
        """The user of a request. Raises StatusError: 401 for a credential nobody has; 400, 403 for what it may not impersonate.

        authorization  the header's value
        certificate    the verified certificate of the client, in DER or PEM
        impersonation  the headers `Impersonate-*` as (name, value), as often as they come
        """
        user = self.certified(certificate) if certificate else None
        if user is None:
            token = bearer(authorization)
            user = self.token(token).user if token else ANONYMOUS
        wanted = acting.wanted(impersonation) if impersonation else None
        if wanted is None:
            return user
        if self.authorizer is None:
            raise status.forbidden("users", "", wanted.name, "this server has nobody impersonated")
        return acting.assumed(user, wanted, self.authorizer)

    def certified(self, certificate: bytes) -> User | None:
        """Whom a certificate names; None if nobody. Raises StatusError (401) if it has ended."""
        named = self.certificates.get(certificate)
        if named is None:
            try:
                named = named_by(certificate)
            except ValueError:
                raise status.unauthorized() from None
            if len(self.certificates) >= limits.CERTIFICATES_KNOWN_MAX:
                self.certificates.clear()
            named = self.certificates[certificate] = named._replace(user=named.user and authenticated(named.user))
        if named.not_after < self.clock.now():
            raise status.unauthorized()
        return named.user

    def token(self, token: str, audiences: tuple[str, ...] = ()) -> Known:
        """Whom a token belongs to. Raises StatusError (401)."""
        try:
            return self.known(token, audiences)
        except InvalidToken:
            raise status.unauthorized() from None

    def known(self, token: str, audiences: tuple[str, ...] = ()) -> Known:
        """Whom a token belongs to. Raises InvalidToken, which says why.

        audiences  whom it must be for; empty is this server
        """
        if len(token) > limits.TOKEN_BYTES_MAX:
            raise InvalidToken(NOBODY)
        own = self.accounts.audiences if self.accounts is not None else ()
        user = self.users.get(digest(token))
        if user is not None:
            shared = tuple(audience for audience in audiences if audience in own) if audiences else own
            if audiences and not shared:
                raise InvalidToken(NOBODY)
            return Known(user, shared)
        if self.accounts is None or not self.accounts.is_meant(token):
            raise InvalidToken(NOBODY)
        found, shared = self.accounts.verify(token, audiences or own)
        return Known(authenticated(found), shared)
