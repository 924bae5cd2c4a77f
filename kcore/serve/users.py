"""Who calls an API server: the users of people and parts, and the tokens that name them, kept under DIR/pki with mode 0600."""

from __future__ import annotations

import secrets
from pathlib import Path

from kcore.base.config import write_private
from kcore.machinery.request import User

TOKEN_BYTES = 32
GROUP = "system:kcore"
PARTS = {
    "scheduler": "system:kcore:scheduler",
    "controllers": "system:kcore:controllers",
    "nodes": "system:kcore:hollow-nodes",
    "network": "system:kcore:network",
}
"""The user of each part; roles of these names say what it may do."""
USERS = {
    "admin": User("admin", "1", ("system:masters",)),
    **{part: User(name, f"kcore:{part}", (GROUP,)) for part, name in PARTS.items()},
}
"""By the name of their token; `admin` is the user of people."""


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def ensure_tokens(pki: Path) -> None:
    """Make the tokens that are missing."""
    pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in USERS:
        path = pki / f"{name}.token"
        if not path.exists():
            write_private(path, new_token().encode())
