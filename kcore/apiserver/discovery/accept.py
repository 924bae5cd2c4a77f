"""Which form of a document a client takes: the header Accept against what can be written. Pure.

Source: RFC 9110 12.5.1; apiserver `pkg/endpoints/handlers/negotiation`, goautoneg, observed answers of 1.37.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from kcore.apiserver.rest import media
from kcore.apiserver.rest.media import Clause
from kcore.machinery import status

ANY: Final = "*/*"
TRANSFORM: Final = ("g", "v", "as")
"""The parameters that ask for an object in the form of another kind."""

Transform = tuple[str, ...]


class Choice(NamedTuple):
    """The form that an answer takes; `transform` is group, version and kind of another form that was asked for."""

    media_type: str
    transform: Transform
    pretty: bool


def choose(header: str, offered: Sequence[str], transforms: Sequence[Transform] = ()) -> Choice | None:
    """Pick the form of an answer; None if the client takes none of them.

    offered     media types, the one that is written if anything will do first
    transforms  kinds in whose form the answer can be written besides its own
    """
    clauses = media.parse(header or ANY)
    for clause in sorted(clauses, key=lambda clause: (-clause.quality, clause.media == ANY, clause.media.endswith("/*"))):
        wanted = tuple(clause.params.get(name, "") for name in TRANSFORM) if clause.params.keys() & set(TRANSFORM) else ()
        if wanted and wanted not in transforms:
            continue
        for media_type in offered:
            if takes(clause, media_type):
                return Choice(media_type, wanted, clause.params.get("pretty") == "1")
    return None


def takes(clause: Clause, media_type: str) -> bool:
    """Whether a media type is one that a clause names."""
    return clause.media in (ANY, media_type, f"{media_type.partition('/')[0]}/*")


def check_route(header: str) -> None:
    """Refuse, as routes of the API do, before anything else is looked at, a client that names none of the forms of objects in full.

    Raises  StatusError: NotAcceptable
    """
    named = [clause.media for clause in media.parse(header)]
    if header and not any(name == ANY or name in media.MEDIA_TYPES for name in named):
        forms = ", ".join(media.MEDIA_TYPES)
        raise status.failure("NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {forms}", {})
