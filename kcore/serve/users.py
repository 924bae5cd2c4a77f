"""Who calls an API server: the users of people and parts, and the tokens that name them, kept under DIR/pki with mode 0600."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from kcore.base.config import write_private
from kcore.machinery.request import User

TOKEN_BYTES = 32
GROUP = "system:kcore"
PARTS = {
    "scheduler": "system:kube-scheduler",
    "controllers": "system:kube-controller-manager",
    "nodes": "system:kcore:hollow-nodes",
    "network": "system:kcore:network",
}
"""The user of each part, called like the upstream program in whose place it stands, if there is one: roles and flow schemas name it."""
GROUPS = {"nodes": (GROUP, "system:nodes")}
"""The groups of a part that is in more than kcore's own: flow schemas let nodes wait in lines of their own."""
USERS = {
    "admin": User("admin", "1", ("system:masters",)),
    **{part: User(name, f"kcore:{part}", GROUPS.get(part, (GROUP,))) for part, name in PARTS.items()},
}
"""By the name of their token; `admin` is the user of people."""


CONTROLLERS = (
    "clusterrole-aggregation-controller", "daemon-set-controller", "deployment-controller", "disruption-controller",
    "endpoint-controller", "endpointslice-controller", "generic-garbage-collector", "job-controller", "namespace-controller",
    "node-controller", "persistent-volume-binder", "pod-garbage-collector", "podgroup-protection-controller",
    "pv-protection-controller", "pvc-protection-controller",
    "resource-claim-controller", "replicaset-controller", "replication-controller", "resourcequota-controller",
    "root-ca-cert-publisher", "service-account-controller", "service-cidrs-controller", "statefulset-controller", "ttl-controller",
    "ttl-after-finished-controller", "volumeattributesclass-protection-controller",
)  # fmt: skip
"""Fixed by Kubernetes: the service accounts as which controllers write, each with a role of its own."""
ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:kube-system")


def by_token(tokens: Mapping[str, str]) -> dict[str, User]:
    """Whom each token belongs to, from the tokens by their names; a controller's is the controllers' own and its account's name."""
    found = {token: USERS[name] for name, token in tokens.items()}
    for account in CONTROLLERS:
        found[f"{tokens['controllers']}.{account}"] = User(f"system:serviceaccount:kube-system:{account}", "", ACCOUNTS)
    return found


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
