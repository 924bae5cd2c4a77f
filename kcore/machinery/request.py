"""A request as the pipeline takes it, whichever front door it came through.

A front-end fills in a `Request` and hands it on; the pipeline never sees a path, a header or a gRPC method.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

GET: Final = "get"
LIST: Final = "list"
WATCH: Final = "watch"
CREATE: Final = "create"
UPDATE: Final = "update"
PATCH: Final = "patch"
DELETE: Final = "delete"
DELETE_COLLECTION: Final = "deletecollection"

FIELD_MANAGER_BYTES_MAX: Final = 128
"""Fixed by Kubernetes: a field manager's name is no longer."""

READS: Final = frozenset((GET, LIST, WATCH))
WRITES: Final = frozenset((CREATE, UPDATE, PATCH, DELETE, DELETE_COLLECTION))


class User(NamedTuple):
    """Who asks, as authentication found out; a tuple, since every request is looked up by it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


def manager_of(user_agent: str) -> str:
    """The field manager of a write that names none: the program in its user agent."""
    name = "".join(char for char in user_agent.partition("/")[0] if char.isprintable())
    while len(name.encode()) > FIELD_MANAGER_BYTES_MAX:
        name = name[:-1]
    return name or "unknown"


ANONYMOUS: Final = User("system:anonymous", groups=("system:unauthenticated",))


@dataclass(slots=True)
class Request:
    """One verb on one resource.

    namespace     empty for cluster-scoped resources and for lists over all namespaces
    name          empty for verbs on the collection
    subpath       what follows `proxy/` in a proxy request
    body          the object, patch or DeleteOptions: as bytes in `content_type`, or already as a dict
    options       the operation's options by their JSON names (`dryRun`, `labelSelector`, `limit` ...), see `request_options`
    is_permitted  set by the pipeline when the user was found to have the right
    manager       who owns what a write changes if the options name no field manager (see `manager_of`); nobody if empty
    """

    verb: str
    group: str
    version: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    body: bytes | dict[str, Any] | None = None
    content_type: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    user: User = ANONYMOUS
    subpath: str = ""
    manager: str = ""
    is_permitted: bool = False

    @property
    def dry_run(self) -> bool:
        return bool(self.options.get("dryRun"))

    @property
    def resource_path(self) -> str:
        """`pods`, or `pods/status`: what authorization and audit write."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource
