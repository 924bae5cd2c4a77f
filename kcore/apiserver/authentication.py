"""Who a request comes from. One chain: bearer tokens now; certificates and service account tokens take their places in it.

Source: CONTRACT A20; the token file is kube-apiserver's `--token-auth-file` (`token,user,uid,"group1,group2"`).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable

from kcore.machinery import status
from kcore.machinery.request import ANONYMOUS, User

AUTHENTICATED = "system:authenticated"
BEARER = "bearer "


class TokenFileError(ValueError):
    """A line of a token file says no token and user."""


def read_token_file(lines: Iterable[str]) -> dict[str, User]:
    """Read `token,user,uid,"groups"` lines. Raises TokenFileError with the line's number."""
    users: dict[str, User] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        if not row or not any(cell.strip() for cell in row):
            continue
        if len(row) < 3 or not row[0] or not row[1]:
            raise TokenFileError(f"line {number} of the token file: expected token,user,uid[,groups]")
        groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
        users[row[0]] = User(row[1], row[2], groups)
    return users


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


class Authenticator:
    """Tokens by their digests, so that a look-up takes no longer for a token that is nearly right."""

    def __init__(self, tokens: dict[str, User]) -> None:
        self.users = {digest(token): User(user.name, user.uid, (*user.groups, AUTHENTICATED), user.extra) for token, user in tokens.items()}

    def authenticate(self, authorization: str | None) -> User:
        """The user behind an Authorization header; anonymous without one. Raises StatusError (401) for a token nobody has."""
        if not authorization:
            return ANONYMOUS
        if authorization[: len(BEARER)].lower() == BEARER and (user := self.users.get(digest(authorization[len(BEARER) :]))) is not None:
            return user
        raise status.unauthorized()


def authorize(user: User) -> None:
    """Until RBAC is there whoever is authenticated may do all, and anonymous nothing of what comes here. Raises StatusError."""
    if user is ANONYMOUS:
        raise status.unauthorized()
