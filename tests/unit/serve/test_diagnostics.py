"""What the health and metrics port answers; its sockets are in tests/integration."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kcore.base import metrics
from kcore.base.config import DataDir
from kcore.machinery import status
from kcore.serve.diagnostics import Diagnostics


@pytest.fixture
def diagnostics(tmp_path: Path) -> Diagnostics:
    return Diagnostics("scheduler", DataDir(tmp_path), judge)


async def judge(token: str) -> None:
    """Lets one token through, and knows one more."""
    if token not in ("good", "known"):
        raise status.unauthorized()
    if token == "known":
        raise status.forbidden("", "", "", "no")


def with_token(token: str) -> bytes:
    return f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def test_a_part_lives_before_it_is_ready(diagnostics: Diagnostics) -> None:
    assert await diagnostics.respond(b"/healthz", b"") == await diagnostics.respond(b"/livez", b"") == ("200 OK", b"ok\n")
    assert await diagnostics.respond(b"/readyz", b"") == ("500 Internal Server Error", b"not ready\n")
    diagnostics.ready = True
    assert await diagnostics.respond(b"/readyz", b"") == ("200 OK", b"ok\n")


@pytest.mark.parametrize("path", [b"", b"/", b"/secrets", b"/metrics/.."])
async def test_nothing_else_is_there(diagnostics: Diagnostics, path: bytes) -> None:
    assert (await diagnostics.respond(path, b""))[0] == "404 Not Found"


async def test_metrics_are_for_those_who_may_get_them(diagnostics: Diagnostics) -> None:
    for head, code in (
        (b"GET /metrics HTTP/1.1\r\n\r\n", "401 Unauthorized"),
        (with_token("stranger"), "401 Unauthorized"),
        (with_token("known"), "403 Forbidden"),
        (with_token("good"), "200 OK"),
        (with_token("good").replace(b"Authorization: Bearer", b"authorization:bearer"), "200 OK"),
        (with_token("good").replace(b"\r\nAuthorization", b"\r\nX-Authorization"), "401 Unauthorized"),
    ):
        assert (await diagnostics.respond(b"/metrics", head))[0] == code


async def test_metrics_are_prometheus_text_with_every_declared_metric(diagnostics: Diagnostics) -> None:
    code, body = await diagnostics.respond(b"/metrics", with_token("good"))
    families = {family.name for family in text_string_to_metric_families(body.decode())}
    assert code == "200 OK" and {metric.name.removesuffix("_total") for metric in metrics.declared()} <= families
