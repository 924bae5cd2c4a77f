"""ServiceAccount: of the secrets that it names, only the names count.

Source: Kubernetes `pkg/registry/core/serviceaccount`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery.kinds.rules import KindRules, Object


def clean_secrets(value: Object) -> None:
    """Keep nothing but the names of secrets."""
    if value.get("secrets"):
        value["secrets"] = [{"name": secret["name"]} if (secret or {}).get("name") else {} for secret in value["secrets"]]


def prepare_update(new: Object, _old: Object) -> None:
    """Clean the secrets of an update too."""
    clean_secrets(new)


RULES: Final = KindRules(prepare_create=clean_secrets, prepare_update=prepare_update)
