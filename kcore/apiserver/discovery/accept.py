"""Which form of a document a client takes: the header Accept against what can be written. Pure.

Source: RFC 9110 12.5.1; apiserver `pkg/endpoints/handlers/negotiation`, goautoneg, observed answers of 1.37.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kcore.machinery import status

JSON: Final = "application/json"
YAML: Final = "application/yaml"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
OBJECT_FORMS: Final = (JSON, YAML, PROTOBUF)
ANY: Final = "*/*"
TRANSFORM: Final = ("g", "v", "as")
"""The parameters that ask for an object in the form of another kind."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the forms that a client takes."""

    type: str
    subtype: str
    quality: float
    parameters: dict[str, str] = field(default_factory=dict)

    def takes(self, media_type: str) -> bool:
        """Whether a media type is one that the clause names."""
        if self.type == "*":
            return self.subtype == "*"
        kind, _, subtype = media_type.partition("/")
        return self.type == kind and self.subtype in ("*", subtype)

    @property
    def transform(self) -> tuple[str, str, str] | None:
        """Group, version and kind of another form that is asked for."""
        if not any(name in self.parameters for name in TRANSFORM):
            return None
        group, version, kind = (self.parameters.get(name, "") for name in TRANSFORM)
        return group, version, kind


class Choice(NamedTuple):
    """The form that an answer takes."""

    media_type: str
    transform: tuple[str, str, str] | None
    pretty: bool


def clauses(header: str) -> list[Clause]:
    """What a header Accept says, what the client likes best first."""
    found = [_clause(part) for part in header.split(",") if part.strip()]
    return sorted(found, key=lambda clause: (-clause.quality, clause.type == "*", clause.subtype == "*"))


def choose(header: str, offered: Sequence[str], transforms: Sequence[tuple[str, str, str]] = ()) -> Choice | None:
    """Pick the form of an answer; None if the client takes none of them.

    offered     media types, the one that is written if anything will do first
    transforms  kinds in whose form the answer can be written besides its own
    """
    for clause in clauses(header or ANY):
        if clause.transform is not None and clause.transform not in transforms:
            continue
        for media_type in offered:
            if clause.takes(media_type):
                return Choice(media_type, clause.transform, clause.parameters.get("pretty") == "1")
    return None


def check_route(header: str) -> None:
    """Refuse, as routes of the API do, before anything else is looked at, a client that names none of the forms of objects in full.

    Raises  StatusError: NotAcceptable
    """
    named = [part.partition(";")[0].strip() for part in header.split(",")]
    if header and not any(name == ANY or name in OBJECT_FORMS for name in named):
        raise status.failure("NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {', '.join(OBJECT_FORMS)}", {})


def _clause(text: str) -> Clause:
    media_type, *parameters = (part.strip() for part in text.split(";"))
    kind, _, subtype = media_type.partition("/")
    named = {name.strip(): value.strip() for name, _, value in (parameter.partition("=") for parameter in parameters)}
    try:
        quality = float(named.pop("q", "1"))
    except ValueError:
        quality = 1.0
    return Clause(kind.strip(), subtype.strip() or ("*" if kind == "*" else ""), quality, named)
