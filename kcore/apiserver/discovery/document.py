"""An answer that is no object of the API: status, headers, and the bytes, which are kept."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kcore.base import limits

TEXT = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Document:
    """What to answer; a document that is kept is shared: nobody changes it.

    content_type  empty for an answer without a body, which then has no such header
    headers       all others, names in lower case
    """

    content_type: str
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    _compressed: bytes | None = None

    @property
    def etag(self) -> str:
        """The value of its header ETag, quotes and all; empty if it has none."""
        return self.headers.get("etag", "")

    def compressed(self) -> bytes:
        """The body for a client that takes gzip; made once."""
        if self._compressed is None:
            self._compressed = gzip.compress(self.body, limits.DOCUMENT_GZIP_LEVEL, mtime=0)
        return self._compressed

    def with_headers(self, headers: dict[str, str]) -> Document:
        """The same answer with further headers."""
        return replace(self, headers=self.headers | headers)

    def unless(self, if_none_match: str) -> Document:
        """304 in place of a body that the client has: `if_none_match` is the header of its request."""
        known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
        if self.etag and (self.etag in known or "*" in known):
            return Document(self.content_type, b"", 304, self.headers)
        return self


def text(body: str, status: int = 200) -> Document:
    """An answer in plain text, as Go's servers send it."""
    return Document(TEXT, body.encode(), status, {"x-content-type-options": "nosniff"})


def etag_of(data: bytes) -> str:
    """What is equal for equal bytes."""
    return f'"{hashlib.sha512(data).hexdigest().upper()}"'


class Kept:
    """The documents that were made last, by what was asked for."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, ...], Document] = {}

    def get(self, key: tuple[str, ...], make: Callable[[], Document]) -> Document:
        """The document of a key; it is made if it is not there."""
        found = self._documents.pop(key, None) or make()
        self._documents[key] = found  # the newest at the end
        if len(self._documents) > limits.DOCUMENTS_KEPT_MAX:
            del self._documents[next(iter(self._documents))]
        return found
