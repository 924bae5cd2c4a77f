"""The file of bearer tokens: kube-apiserver's `--token-auth-file` (`token,user,uid,"group1,group2"`)."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from kcore.machinery.request import User


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
