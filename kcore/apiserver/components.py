"""ComponentStatus: what keeps the store from answering, as objects that are made when somebody reads them.

Differs from upstream: the scheduler and the controllers are no parts that an API server knows, and are not listed.

Source: Kubernetes `pkg/registry/core/componentstatus`.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.store.storage import Storage, StoreError

Object = dict[str, Any]

STORE: Final = "etcd-0"
"""What clients know a store as."""
ANY_KEY: Final = b"/registry/health"


def store_trouble(storage: Storage) -> str | None:
    """What keeps the store from answering, None if it does answer."""
    try:
        storage.get(ANY_KEY)
    except StoreError as error:
        return str(error)
    return None


def statuses(storage: Storage) -> list[Object]:
    """All objects of the kind, in the order of their names."""
    trouble = store_trouble(storage)
    condition: Object = {"type": "Healthy", "status": "True", "message": "ok"}
    if trouble is not None:
        condition = {"type": "Healthy", "status": "False", "message": trouble}
    return [{"metadata": {"name": STORE}, "conditions": [condition]}]
