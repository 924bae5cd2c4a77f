"""Rows about a quiet client beside a flood: how long its gets take, alone and while another user has very many in flight."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final

from kcore.base.config import DataDir, Endpoints
from kcore.client.client import Client
from kcore.load.bench import calls, http, plane
from kcore.load.bench.calls import CONNECTIONS_MAX, FRAME, MISSING, POD_PATH, SERVICE
from kcore.load.bench.plane import BenchError
from kcore.load.bench.rows import JSON, Flood

Figures = dict[str, Any]
USER, TOKEN = "flood", "flood-token"
WARM_UP_S: Final = 1.0
"""Before the first quiet call, for the flood to be in full swing."""
LONGER_THAN_ANY_ROW_S: Final = 600
API: Final = "rbac.authorization.k8s.io"


def run(row: Flood) -> Figures:
    """Ask alone, then beside the flood."""
    if which("h2load") is None:
        return {"not_measured": MISSING}
    with plane.data_directory() as directory:
        accounts = Path(directory.path, "accounts.csv")
        accounts.write_text(f"{TOKEN},{USER},{USER}\n")
        plane.start(directory, 0, "--parts", "apiserver", "--token-auth-file", str(accounts))
        plane.ask(directory, plane.make_account)
        plane.ask(directory, calls.make_one)
        plane.ask(directory, let_flood)
        quiet(directory, row)
        alone = sorted(quiet(directory, row))
        with flood(directory, row) as going:
            time.sleep(WARM_UP_S)
            beside = sorted(quiet(directory, row))
            if going.poll() is not None:
                raise BenchError("the flood ended before the quiet client did")
    return {
        "in_flight": row.in_flight,
        "calls": row.calls,
        "alone_p50_ms": part_ms(alone, 0.5),
        "alone_p99_ms": part_ms(alone, 0.99),
        "p50_ms": part_ms(beside, 0.5),
        "p99_ms": part_ms(beside, 0.99),
    }


def part_ms(took_s: list[float], part: float) -> float:
    """Milliseconds in which a part of the calls, in the order of their times, was done."""
    return round(took_s[int(part * (len(took_s) - 1))] * 1e3, 2)


async def let_flood(client: Client) -> None:
    """Let the user of the flood see pods."""
    role = {"apiGroup": API, "kind": "ClusterRole", "name": "view"}
    subject = {"apiGroup": API, "kind": "User", "name": USER}
    binding = {"metadata": {"name": USER}, "roleRef": role, "subjects": [subject]}
    await client.dynamic.resource(API, "v1", "clusterrolebindings").create(
        {"apiVersion": f"{API}/v1", "kind": "ClusterRoleBinding", **binding}
    )


def quiet(directory: DataDir, row: Flood) -> list[float]:
    """Seconds of single gets, one after the other."""
    if row.https:
        return http.timed(directory, POD_PATH, JSON, row.calls)[0]

    async def ask(client: Client) -> list[float]:
        took_s = []
        for _ in range(row.calls):
            began = time.perf_counter()
            await client.transport.unary(f"/{SERVICE}/Get", calls.body("get"))
            took_s.append(time.perf_counter() - began)
        return took_s

    return plane.ask(directory, ask)


@contextmanager
def flood(directory: DataDir, row: Flood) -> Iterator[subprocess.Popen[bytes]]:
    """Gets of another user, so many in flight at any time."""
    found = Endpoints.read(directory)
    headers = {"accept": JSON, "authorization": f"Bearer {TOKEN}"}
    if row.https:
        arguments = ["--h1", "-c", str(row.in_flight), *calls.headed(headers), f"{found and found.rest}{POD_PATH}"]
    else:
        file, message = Path(directory.path, "flood.body"), calls.body("get")
        file.write_bytes(FRAME.pack(0, len(message)) + message)
        headers |= {"content-type": "application/grpc", "te": "trailers"}
        streams = str(row.in_flight // CONNECTIONS_MAX)
        url = f"https://{found and found.grpc}/{SERVICE}/Get"
        arguments = ["-c", str(CONNECTIONS_MAX), "-m", streams, "-d", str(file), *calls.headed(headers), url]
    command = ["h2load", "-D", str(LONGER_THAN_ANY_ROW_S), *arguments]
    going = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield going
    finally:
        going.kill()
        going.wait()
