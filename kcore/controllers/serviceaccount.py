"""ServiceAccount `default` in every namespace that is not on its way out.

Source: Kubernetes `pkg/controller/serviceaccount`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.api.core.v1.service_account_pb2 import ServiceAccount
from kcore.client import kinds
from kcore.controllers import actions
from kcore.controllers.actions import Action, Create
from kcore.controllers.controller import Context, Controller, Source, own_keys

NAMESPACES: Final = kinds.resource("", "v1", "namespaces")
SERVICEACCOUNTS: Final = kinds.resource("", "v1", "serviceaccounts")

ACCOUNTS: Final = ("default",)
"""The accounts that every namespace has."""

ACTIVE: Final = "Active"


def plan(namespace: Any, present: Iterable[str]) -> list[Action]:
    """Decide which accounts a namespace needs.

    present  names of the accounts that it has
    """
    if namespace.status.phase != ACTIVE:
        return []
    return [Create(_account(namespace.metadata.name, name)) for name in ACCOUNTS if name not in set(present)]


def _account(namespace: str, name: str) -> ServiceAccount:
    account = ServiceAccount()
    account.metadata.name, account.metadata.namespace = name, namespace
    return account


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._namespaces = context.informer(NAMESPACES).lister
        self._accounts = context.metadata_of(SERVICEACCOUNTS).lister

    async def reconcile(self, key: str) -> None:
        """Look at a namespace."""
        namespace = self._namespaces.get(key)
        if namespace is None:
            return
        present = [name for name in ACCOUNTS if self._accounts.get(name, namespace=key) is not None]
        outcomes = await actions.apply(plan(namespace, present), self._context.api.bulk, self._context.recorder)
        actions.raise_first(actions.undisturbed(outcomes), harmless=("AlreadyExists", "NotFound"))


def account_changed(old: Any, new: Any) -> Iterable[str]:
    """Look at the namespace whose account is gone."""
    return (old.metadata.namespace,) if new is None and old.metadata.name in ACCOUNTS else ()


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(NAMESPACES, own_keys), Source(SERVICEACCOUNTS, account_changed, metadata_only=True))
    return Controller("serviceaccount", context.queue("serviceaccount"), reconciler.reconcile, sources)
