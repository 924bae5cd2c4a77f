"""Which form of an answer a client takes: the Accept header against what is served. Pure.

Source: CONTRACT A1; apiserver `pkg/endpoints/handlers/negotiation`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kcore.base import limits
from kcore.machinery import status

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)
TABLE, PARTIAL, PARTIAL_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"
TRANSFORMS = (TABLE, PARTIAL, PARTIAL_LIST)
META_GROUP, META_VERSIONS = "meta.k8s.io", ("v1", "v1beta1")


class Clause(NamedTuple):
    """One alternative of an Accept header."""

    media: str
    params: dict[str, str]
    quality: float


class Form(NamedTuple):
    """How an answer is written: `transform` is a kind of meta.k8s.io in `version`, '' for the object as it is."""

    media: str = JSON
    transform: str = ""
    version: str = ""
    pretty: bool = False


def parse(accept: str) -> list[Clause]:
    """The alternatives of an Accept header, best first; what cannot be read is left out."""
    clauses = []
    for text in accept[: limits.ACCEPT_HEADER_CHARS_MAX].split(","):
        media, *rest = (part.strip() for part in text.split(";"))
        if not media:
            continue
        params = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
        try:
            quality = float(params.pop("q", "1"))
        except ValueError:
            continue
        clauses.append(Clause(media.lower(), params, quality))
    return sorted(clauses, key=lambda clause: -clause.quality)


@lru_cache(limits.ACCEPT_HEADERS_KEPT)
def choose(accept: str, tables: bool) -> Form:
    """The form of an answer about an object or a list.

    tables  the kind can be shown as a Table
    Raises  StatusError (406)
    """
    clauses = parse(accept) or [Clause("*/*", {}, 1)]
    known = False
    for clause in clauses:
        media = JSON if clause.media == "*/*" else clause.media
        if media not in MEDIA_TYPES:
            continue
        known = True
        wanted = clause.params.get("as", "")
        if not wanted:
            return Form(media, pretty=clause.params.get("pretty") == "1")
        if allowed(media, clause.params, tables):
            return Form(media, wanted, clause.params["v"])
    if known:
        raise status.not_acceptable(MEDIA_TYPES)
    raise status.failure("NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {', '.join(MEDIA_TYPES)}", {})


def allowed(media: str, params: dict[str, str], tables: bool) -> bool:
    """Whether an answer can be transformed as a clause asks."""
    wanted = params["as"]
    if params.get("g") != META_GROUP or params.get("v") not in META_VERSIONS:
        return False
    if wanted == TABLE:
        return tables and media != PROTOBUF
    return wanted in TRANSFORMS


def for_errors(accept: str) -> Form:
    """The form of a Status about a request that failed: the first type that is known, else JSON."""
    for clause in parse(accept):
        if clause.media in MEDIA_TYPES:
            return Form(clause.media)
    return Form()
