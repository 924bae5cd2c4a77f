"""Questions that only the API server can answer, since a lister may be behind."""

from __future__ import annotations

from typing import Any

from kcore.client.kinds import Resource
from kcore.controllers.adoption import is_deleting
from kcore.controllers.ports import Api
from kcore.machinery import status
from kcore.machinery.status import StatusError


async def find(api: Api, resource: Resource, namespace: str, name: str, *, metadata_only: bool = False) -> Any | None:
    """Return an object as it is now; None if there is none.

    Raises  StatusError other than NotFound
    """
    try:
        return await api.resource(resource).get(name, namespace=namespace, metadata_only=metadata_only)
    except StatusError as error:
        if error.reason == "NotFound":
            return None
        raise


async def require(api: Api, resource: Resource, owner: Any) -> None:
    """Make sure that an owner still is, is the same, and is not on its way out: only such a one may adopt.

    Raises  StatusError (Conflict) if it may not
    """
    meta = owner.metadata
    found = await find(api, resource, meta.namespace, meta.name, metadata_only=True)
    if found is None or found.metadata.uid != meta.uid:
        raise status.conflict(resource.resource, resource.group, meta.name, f"the object with uid {meta.uid} is gone")
    if is_deleting(found):
        raise status.conflict(resource.resource, resource.group, meta.name, "the object is being deleted")
