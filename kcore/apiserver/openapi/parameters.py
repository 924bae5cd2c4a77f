"""The parameters of operations: what each is called, is, and does. A table.

Source: CONTRACT A8, A9, A13; metav1 `ListOptions`, `DeleteOptions`, `PatchOptions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from google.protobuf import descriptor_pb2

Message = descriptor_pb2.DescriptorProto
Field = descriptor_pb2.FieldDescriptorProto

STRING, INTEGER, BOOLEAN = "string", "integer", "boolean"
TYPES: Final = {Field.TYPE_BOOL: BOOLEAN, Field.TYPE_INT32: INTEGER, Field.TYPE_INT64: INTEGER, Field.TYPE_STRING: STRING}


class Parameter(NamedTuple):
    """A parameter in a path or a query."""

    name: str
    type: str
    description: str
    place: str = "query"


def _table(*rows: tuple[str, str, str]) -> dict[str, Parameter]:
    return {name: Parameter(name, kind, description) for name, kind, description in rows}


QUERY: Final = _table(
    ("allowWatchBookmarks", BOOLEAN, "Now and then a watch sends an event BOOKMARK that holds nothing but the resourceVersion reached."),
    ("continue", STRING, "Token from the metadata of the page before; all pages of a list show one revision, until that is too old."),
    ("dryRun", STRING, "`All`: everything is done but the storing."),
    ("fieldManager", STRING, "Who writes, for field ownership: at most 128 printable characters; required for an apply patch."),
    ("fieldSelector", STRING, "Only objects whose fields match, such as `status.phase=Running`."),
    (
        "fieldValidation", STRING,
        "What unknown and doubled fields do: `Ignore` drops them, `Warn` also says so in a header, `Strict` refuses the request.",
    ),
    ("force", BOOLEAN, "Server-side apply: take fields over from other managers. Only for apply patches."),
    ("gracePeriodSeconds", INTEGER, "Seconds the object has to end; 0 deletes at once, absent means what the kind says."),
    (
        "ignoreStoreReadErrorWithClusterBreakingPotential", BOOLEAN,
        "Delete an object although its stored form cannot be read. Finalizers and preconditions are then passed over.",
    ),
    ("labelSelector", STRING, "Only objects whose labels match, such as `app=web,tier in (a,b)`."),
    ("limit", INTEGER, "Most objects of an answer; if there are more, its metadata has a token for the next page."),
    ("orphanDependents", BOOLEAN, "Older form of propagationPolicy; not both."),
    ("pretty", STRING, "`true`: the answer is indented."),
    ("propagationPolicy", STRING, "What becomes of dependents: `Orphan`, `Background` or `Foreground`."),
    ("resourceVersion", STRING, "Which revision the answer may be from, or which one a watch goes on after."),
    ("resourceVersionMatch", STRING, "How resourceVersion is meant: `Exact` or `NotOlderThan`."),
    ("sendInitialEvents", BOOLEAN, "A watch begins with the present objects, and a bookmark after the last of them."),
    ("shardSelector", STRING, "Only objects in a range of hashes, for clients that share the work."),
    ("timeoutSeconds", INTEGER, "The list or watch ends after this time."),
    ("watch", BOOLEAN, "Send changes as they happen, in place of a list."),
)  # fmt: skip

NAME: Final = Parameter("name", STRING, "The name of the {kind}.", "path")
NAMESPACE: Final = Parameter("namespace", STRING, "The namespace that the objects are in.", "path")
PATH: Final = Parameter("path", STRING, "The path that is asked of the other end.", "path")

PRETTY: Final = (QUERY["pretty"],)
SELECT: Final = tuple(
    QUERY[name]
    for name in (
        "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents",
        "shardSelector", "timeoutSeconds",
    )
)  # fmt: skip
LIST: Final = (*SELECT, QUERY["allowWatchBookmarks"], QUERY["watch"])
WRITE: Final = tuple(QUERY[name] for name in ("dryRun", "fieldManager", "fieldValidation"))
PATCH: Final = (*WRITE, QUERY["force"])
DELETE: Final = tuple(
    QUERY[name]
    for name in (
        "dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy",
    )
)  # fmt: skip


def of_options(message: Message) -> Iterator[Parameter]:
    """The fields of a message of options, such as PodExecOptions, as parameters of a query."""
    for field in message.field:
        if field.type in TYPES:
            yield Parameter(field.json_name, TYPES[field.type], f"The field `{field.json_name}` of {message.name}.")
