"""`/openapi/v2` and `/openapi/v3`: which document a request is for, in which form, and for how long it may be kept.

Source: CONTRACT A4; kube-openapi `pkg/handler`, `pkg/handler3`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Final

import orjson

from kcore.apiserver.discovery import accept
from kcore.apiserver.discovery.document import TEXT, Document, Kept, etag_of
from kcore.apiserver.discovery.groups import Group
from kcore.apiserver.openapi import comments, gnostic, v2, v3
from kcore.apiserver.openapi.schemas import V2, V3, Schemas
from kcore.apiserver.rest import media
from kcore.base import limits
from kcore.machinery.scheme import Scheme

ROOT: Final = "/openapi/v3"
VARIES: Final = {"vary": "Accept"}
NOT_FOUND: Final = Document("", b"", 404, VARIES)
NOT_ACCEPTABLE: Final = Document("", b"", 406, VARIES)

Query = Mapping[str, Sequence[str]]


class Published:
    """The OpenAPI documents of a scheme. All of them take a fifth of a second to make; each is made when it is first asked for."""

    def __init__(self, scheme: Scheme, groups: Sequence[Group], kept: Kept, now: Callable[[], float]) -> None:
        self._scheme, self._groups, self._kept, self._now = scheme, groups, kept, now
        self._documents = v3.documents(groups)
        self._schemas = Schemas(scheme, V3, comments.load())

    def index(self) -> Document:
        """The document of `/openapi/v3`: where the documents are, by name."""

        def make() -> Document:
            places = {name: {"serverRelativeURL": self._place(name)} for name in self._documents}
            body = orjson.dumps({"paths": places})
            return Document(TEXT, body, headers={"etag": etag_of(body)})

        return self._kept.get(("openapi", "index"), make)

    def v2(self, accepts: str) -> Document:
        """The document of `/openapi/v2`."""
        chosen = accept.choose(accepts, (media.JSON, gnostic.MEDIA_TYPE, gnostic.OLDER_MEDIA_TYPE))
        if chosen is None:
            return NOT_ACCEPTABLE
        content_type = media.JSON if chosen.media_type == media.JSON else gnostic.MEDIA_TYPE

        def make() -> Document:
            found = v2.document(Schemas(self._scheme, V2, comments.load()), self._groups)
            body = orjson.dumps(found) if content_type == media.JSON else gnostic.encoded(found)
            return Document(content_type, body, headers=VARIES | {"etag": etag_of(body)})

        return self._kept.get(("openapi", "v2", content_type), make)

    def document(self, name: str, accepts: str, query: Query) -> Document:
        """The document of `/openapi/v3/NAME`.

        A client that names the right hash may keep it for ever, one that names another is sent to the right one.
        """
        if name not in self._documents:
            return NOT_FOUND
        if accept.choose(accepts, (media.JSON,)) is None:
            return NOT_ACCEPTABLE
        found = self._v3(name)
        wanted = query.get("hash", ("",))[0]
        if not wanted:
            return found
        if wanted != _hash(found):
            return Document("", b"", 301, VARIES | {"location": self._place(name)})
        expires = formatdate(self._now() + limits.OPENAPI_EXPIRES_S, usegmt=True)
        return found.with_headers({"cache-control": "public, immutable", "expires": expires})

    def _v3(self, name: str) -> Document:
        def make() -> Document:
            body = orjson.dumps(v3.document(self._schemas, name, self._documents[name]))
            return Document(media.JSON, body, headers=VARIES | {"etag": etag_of(body)})

        return self._kept.get(("openapi", "v3", name), make)

    def _place(self, name: str) -> str:
        return f"{ROOT}/{name}?hash={_hash(self._v3(name))}"


def _hash(document: Document) -> str:
    return document.etag.strip('"')
