"""Every operation of the published OpenAPI document, asked with what it may be given and with what it may not: each is answered in form.

The requests are the same in each run: they are drawn from a number that stands here.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.apiserver.api import Api
from tests.unit.apiserver.rest.http import Http

SEED = 20_261
ASKED_EACH = 6
METHODS = ("get", "put", "post", "delete", "patch")
PATCHES = (
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 40, 1.5, "", "a", "A b", "é\u0000", "1Gi", "10.0.0.1", [], ["a"], {}, {"a": "b"}, [{}],
    {"matchLabels": {"a": "b"}},
)  # fmt: skip
WORDS = ("", "a", "0", "-1", "true", "a=b", "metadata.name=a", "a in (b", "99999999999999999999", "é", "%00", "All", "Strict", "Orphan")
UNEXPECTED = "an internal error occurred"
Operation = tuple[str, str, list[dict[str, Any]]]


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[Http]:
    api = await Api(tmp_path / "store").start()
    yield Http(api)
    api.close()


async def operations(http: Http) -> list[Operation]:
    """(method, path, parameters) of all that is published."""
    document = (await http("GET", "/openapi/v2", accept="application/json")).json()
    shared = document.get("parameters", {})
    found = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                given = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                found.append((method, path, [shared.get(each.get("$ref", "").rpartition("/")[2], each) for each in given]))
    return found


class Drawer:
    """Makes requests."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        """Anything that JSON can say."""
        pick = self.chance.random()
        if depth < 3 and pick < 0.3:
            names = ("spec", "metadata", "name", "labels", "status", "selector", "template", "containers", "rules", "data", "ports")
            return {self.chance.choice(names): self.value(depth + 1) for _ in range(self.chance.randrange(4))}
        if depth < 3 and pick < 0.4:
            return [self.value(depth + 1) for _ in range(self.chance.randrange(3))]
        return self.chance.choice(VALUES)

    def body(self) -> bytes:
        """A body: nearly an object of the kind, or nothing like one."""
        if self.chance.random() < 0.2:
            return self.chance.choice((b"", b"{", b"[]", b"null", b'"a"', b"\xff", json.dumps(self.value()).encode()))
        obj = {"metadata": self.chance.choice(({"name": "a"}, {"generateName": "a-"}, self.value()))}
        for part in ("spec", "data", "status", "rules", "subsets", "webhooks", "roleRef"):
            if self.chance.random() < 0.3:
                obj[part] = self.value(1)
        return json.dumps(obj).encode()

    def query(self, parameters: list[dict[str, Any]]) -> str:
        """Some of the parameters, with words that may or may not do."""
        named = [each["name"] for each in parameters if each.get("in") == "query" and each["name"] not in ("watch", "follow")]
        chosen = [name for name in named if self.chance.random() < 0.2]
        return "&".join(f"{name}={quote(self.chance.choice(WORDS))}" for name in chosen)

    def path(self, template: str) -> str:
        """A path with its places filled in."""
        while "{" in template:
            before, _, rest = template.partition("{")
            name, _, after = rest.partition("}")
            words = ("default", "kube-system") if name == "namespace" else ("a", "default", "kubernetes", "system:node", "..", "A b")
            template = before + quote(self.chance.choice(words), safe="") + after
        return template

    def requests(self, operation: Operation) -> Iterator[tuple[str, str, str, bytes, str]]:
        """-> (method, path, query, body, content type)."""
        method, path, parameters = operation
        for _ in range(ASKED_EACH):
            kind = self.chance.choice(PATCHES) if method == "patch" else self.chance.choice(("application/json", "application/yaml"))
            body = b"" if method == "get" else self.body()
            yield method.upper(), self.path(path), self.query(parameters), body, kind


@pytest.mark.slow
async def test_every_operation_is_answered_in_form(http: Http) -> None:
    drawer, asked, codes = Drawer(SEED), 0, set[int]()
    for operation in await operations(http):
        if "/watch/" in operation[1] or operation[1].endswith("/log"):
            continue
        for method, path, query, body, kind in drawer.requests(operation):
            reply = await http(method, path, body, query, content_type=kind)
            asked += 1
            codes.add(reply.code)
            where = (method, path, query, body, kind, reply.code, reply.body[:300])
            assert UNEXPECTED.encode() not in reply.body, where
            if reply.code >= 400 and reply.headers.get("content-type") == "application/json":
                told = reply.json()
                assert told["kind"] != "Status" or told["code"] == reply.code, where
    assert asked > 1_500 and {200, 201, 400, 404, 422} <= codes
