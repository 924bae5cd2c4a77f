"""Rows about whole commands of kubectl: what it waits for the server, and how soon a control plane that starts answers it."""

from __future__ import annotations

import os
import statistics
import time
from shutil import which
from typing import Any, Final

from kcore.base.config import DataDir
from kcore.client.client import Client
from kcore.load.bench import plane
from kcore.load.bench.plane import NAMESPACE, BenchError
from kcore.load.bench.rows import FirstAnswer, Kubectl
from kcore.load.pods import plain_template

Figures = dict[str, Any]
PROGRAM: Final = "kubectl"
MISSING: Final = "kubectl is not on PATH"


def run(row: Kubectl) -> Figures:
    """Get a few pods again and again, and in between ask kubectl only for its own version."""
    if which(PROGRAM) is None:
        return {"not_measured": MISSING}

    async def fill(client: Client) -> None:
        for index in range(row.pods):
            pod = plain_template()
            pod.metadata.name, pod.metadata.namespace = f"pod-{index}", NAMESPACE
            await client.pods.create(pod)

    own_s, got_s = [], []
    with plane.api_server() as directory:
        plane.ask(directory, fill)
        kubectl(directory, "get", "pods")  # discovery is kept from here on, as it is with a user
        for _ in range(row.rounds):
            own_s.append(kubectl(directory, "version", "--client")[0])
            took_s, shown = kubectl(directory, "get", "pods")
            got_s.append(took_s)
            if shown.count("\n") != row.pods + 1:
                raise BenchError(f"kubectl shows other than {row.pods} pods: {shown}")
    own, got = statistics.median(own_s), statistics.median(got_s)
    return {"pods": row.pods, "own_start_s": round(own, 4), "get_s": round(got, 4), "of_own_start": round(got / own, 2)}


def run_first(row: FirstAnswer) -> Figures:
    """Start a control plane from nothing and ask for its nodes, several times."""
    if which(PROGRAM) is None:
        return {"not_measured": MISSING}
    took_s = []
    for _ in range(row.starts):
        with plane.data_directory() as directory:
            began = time.monotonic()
            plane.start(directory, row.nodes)
            shown = kubectl(directory, "get", "nodes")[1]
            took_s.append(round(time.monotonic() - began, 3))
            if shown.count("\n") != row.nodes + 1:
                raise BenchError(f"kubectl shows other than {row.nodes} nodes: {shown}")
    return {"nodes": row.nodes, "answered_s": statistics.median(took_s), "answers_s": took_s}


def kubectl(directory: DataDir, *arguments: str) -> tuple[float, str]:
    """Run kubectl as a user of the control plane would; -> (seconds, what it prints). Raises BenchError if it fails."""
    environment = {**os.environ, "KUBECONFIG": str(directory.kubeconfig), "HOME": str(directory.path)}
    began = time.monotonic()
    done = plane.program(PROGRAM, *arguments, name=f"{PROGRAM} {arguments[0]}", environment=environment)
    return time.monotonic() - began, done.stdout
