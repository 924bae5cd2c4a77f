"""ConfigMap `kube-root-ca.crt` in every namespace that is not on its way out: the CA bundle by which pods know the API server.

Source: Kubernetes `pkg/controller/certificates/rootcacertpublisher`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kcore.api.core.v1.config_map_pb2 import ConfigMap
from kcore.client import kinds
from kcore.client.reflector import Selection
from kcore.controllers import actions
from kcore.controllers.actions import Action, Create, Update
from kcore.controllers.controller import Context, Controller, Source, own_keys
from kcore.controllers.serviceaccount import ACTIVE, NAMESPACES

CONFIGMAPS: Final = kinds.resource("", "v1", "configmaps")

NAME: Final = "kube-root-ca.crt"
DATA_KEY: Final = "ca.crt"
DESCRIPTION: Final = "kubernetes.io/description"
DESCRIPTION_TEXT: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or "
    "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)
"""What the annotation says, word for word: clients compare it."""

ONLY_THESE: Final = Selection(field_selector=f"metadata.name={NAME}")


def plan(namespace: Any, present: Any | None, ca_pem: str) -> list[Action]:
    """Decide what a namespace's ConfigMap needs.

    present  the ConfigMap as it is; None if there is none
    """
    if namespace.status.phase != ACTIVE or not ca_pem:
        return []
    wanted = ConfigMap()
    if present is not None:
        if dict(present.data) == {DATA_KEY: ca_pem} and present.metadata.annotations.get(DESCRIPTION) == DESCRIPTION_TEXT:
            return []
        wanted.CopyFrom(present)
    wanted.metadata.name, wanted.metadata.namespace = NAME, namespace.metadata.name
    wanted.metadata.annotations[DESCRIPTION] = DESCRIPTION_TEXT
    wanted.data.clear()
    wanted.data[DATA_KEY] = ca_pem
    return [Create(wanted) if present is None else Update(wanted)]


class Reconciler:
    """Carries plans out."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._namespaces = context.informer(NAMESPACES).lister
        self._configmaps = context.informer(CONFIGMAPS, ONLY_THESE).lister

    async def reconcile(self, key: str) -> None:
        """Look at a namespace."""
        namespace = self._namespaces.get(key)
        if namespace is None:
            return
        present = self._configmaps.get(NAME, namespace=key)
        planned = plan(namespace, present, self._context.settings.ca_pem)
        outcomes = await actions.apply(planned, self._context.api.bulk, self._context.recorder)
        actions.raise_first(actions.undisturbed(outcomes), harmless=("AlreadyExists", "NotFound"))


def configmap_changed(old: Any, new: Any) -> Iterable[str]:
    """Look at the namespace whose ConfigMap changed."""
    return ((old if new is None else new).metadata.namespace,)


def make(context: Context) -> Controller:
    """Make the controller."""
    reconciler = Reconciler(context)
    sources = (Source(NAMESPACES, own_keys), Source(CONFIGMAPS, configmap_changed, selection=ONLY_THESE))
    return Controller("root-ca-certificate-publisher", context.queue("root-ca-certificate-publisher"), reconciler.reconcile, sources)
