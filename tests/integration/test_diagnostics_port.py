"""The health and metrics port over its socket: answers, and bad callers that it survives."""

import asyncio
import json
from pathlib import Path

import pytest

from kcore.base import limits, metrics
from kcore.base.config import DataDir
from kcore.machinery import status
from kcore.serve import scrape, users
from kcore.serve.diagnostics import Diagnostics, by_reviews
from kcore.testing import Cluster


async def ask(address: str, request: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.fixture
def directory(tmp_path: Path) -> DataDir:
    directory = DataDir(tmp_path / "data")
    directory.make()
    users.ensure_tokens(directory.pki)
    return directory


async def judge(token: str) -> None:
    """Knows nobody without a token."""
    if not token:
        raise status.unauthorized()


async def test_the_address_is_in_a_private_file_and_answers(directory: DataDir) -> None:
    diagnostics = Diagnostics("nodes", directory, judge)
    await diagnostics.start()
    file = directory.part_state("nodes")
    assert file.stat().st_mode & 0o777 == 0o600
    address = json.loads(file.read_text())["address"]
    assert address.startswith("127.0.0.1:")
    assert (await ask(address, b"GET /healthz HTTP/1.1\r\n\r\n")).endswith(b"\r\n\r\nok\n")
    assert (await ask(address, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 500 ")
    assert (await ask(address, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
    assert b"# TYPE" in await ask(address, b"GET /metrics HTTP/1.1\r\nAuthorization: Bearer t\r\n\r\n")
    before = await asyncio.to_thread(scrape.total, directory, scrape.EVENTS_DROPPED)
    metrics.EVENTS_DROPPED.inc("nobody", "full", amount=3)
    after = await asyncio.to_thread(scrape.total, directory, scrape.EVENTS_DROPPED)
    await diagnostics.stop()
    assert after - before == 3
    assert await asyncio.to_thread(scrape.metrics_of, address, "t") == ""


async def test_bad_callers_are_cut_off_and_others_served(directory: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DIAGNOSTICS_TIMEOUT_S", 0.05)
    diagnostics = Diagnostics("nodes", directory, judge)
    await diagnostics.start()
    address = json.loads(directory.part_state("nodes").read_text())["address"]
    assert await ask(address, b"GET / HT") == b""
    assert await ask(address, b"x" * (limits.DIAGNOSTICS_REQUEST_BYTES_MAX + 10) + b"\r\n\r\n") == b""
    assert (await ask(address, b"POST /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
    assert (await ask(address, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await diagnostics.stop()


async def test_a_part_asks_its_api_server_who_may_get_its_metrics() -> None:
    async with Cluster(parts=()) as cluster:
        judge = by_reviews(cluster._connect("nodes", "nodes"))
        await judge(cluster._tokens["admin"])
        for token, code in (("", 401), ("nobody's", 401), (cluster._tokens["scheduler"], 403)):
            with pytest.raises(status.StatusError) as caught:
                await judge(token)
            assert caught.value.code == code
            with pytest.raises(status.StatusError) as caught:
                await cluster._plane.may_get_metrics(token)
            assert caught.value.code == code or not token
        await cluster._plane.may_get_metrics(cluster._tokens["admin"])
