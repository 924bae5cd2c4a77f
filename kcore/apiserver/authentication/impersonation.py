"""Acting as somebody else: the headers `Impersonate-*`, and who may.

Source: Kubernetes apiserver `pkg/endpoints/filters/impersonation`; its recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from kcore.apiserver.authorization import Attributes, Authorizer
from kcore.machinery import status
from kcore.machinery.field_error import quote
from kcore.machinery.request import ANONYMOUS, User

PREFIX: Final = "impersonate-"
EXTRA: Final = "impersonate-extra-"
ACCOUNT: Final = "system:serviceaccount:"
AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
AUTHENTICATION: Final = "authentication.k8s.io"
ACCOUNTS: Final = "system:serviceaccounts"


class Wanted(NamedTuple):
    """Whom the headers ask for."""

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, tuple[str, ...]], ...]


def wanted(headers: Iterable[tuple[str, str]]) -> Wanted | None:
    """Read the headers, names in any case; None if they ask for nobody. Raises StatusError (400)."""
    name = uid = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for header, value in headers:
        header = header.lower()
        if header == "impersonate-user":
            name = name or value
        elif header == "impersonate-uid":
            uid = uid or value
        elif header == "impersonate-group":
            groups.append(value)
        elif header.startswith(EXTRA):
            extra.setdefault(unquote(header[len(EXTRA) :]).lower(), []).append(value)
    found = Wanted(name, uid, tuple(groups), tuple((key, tuple(values)) for key, values in extra.items()))
    if not name and (uid or groups or extra):
        raise status.bad_request(f"requested {written(found)} without impersonating a user name")
    return found if name else None


def written(found: Wanted) -> str:
    """What was asked for, as Go prints the struct."""
    groups = f"{{{', '.join(map(quote, found.groups))}}}" if found.groups else "(nil)"
    extra = ", ".join(f"{quote(key)}:[]string{{{', '.join(map(quote, values))}}}" for key, values in sorted(found.extra))
    shown = f"{{{extra}}}" if found.extra else "(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:{quote(found.uid)}, Groups:[]string{groups}, Extra:map[string][]string{shown}}}'


def account(name: str) -> tuple[str, str] | None:
    """(namespace, name) of a service account's user name."""
    parts = name[len(ACCOUNT) :].split(":") if name.startswith(ACCOUNT) else []
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else None


def permissions(found: Wanted) -> Iterator[Attributes]:
    """What one must be allowed to act so."""
    of_account = account(found.name)
    if of_account is not None:
        yield Attributes("impersonate", "", "serviceaccounts", "", *of_account)
    else:
        yield Attributes("impersonate", "", "users", name=found.name)
    for group in found.groups:
        yield Attributes("impersonate", "", "groups", name=group)
    for key, values in found.extra:
        for value in values:
            yield Attributes("impersonate", AUTHENTICATION, "userextras", key, name=value)
    if found.uid:
        yield Attributes("impersonate", AUTHENTICATION, "uids", name=found.uid)


def assumed(user: User, found: Wanted, authorizer: Authorizer) -> User:
    """Whom `user` acts as. Raises StatusError (403)."""
    for asked in permissions(found):
        authorizer.require(user, asked)
    groups = found.groups
    of_account = account(found.name)
    if of_account is not None and not groups:
        groups = (ACCOUNTS, f"{ACCOUNTS}:{of_account[0]}")
    if found.name == ANONYMOUS.name:
        groups = groups if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    elif AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    return User(found.name, found.uid, groups, found.extra)
