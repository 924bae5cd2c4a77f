"""Replays a production GPU cluster under several policies: DIR/openb/nodes.csv and pods.csv, the trace cluster-trace-gpu-v2023.

    python -m bench.load.trace DIR [options of kcore simulate trace]

On its own timestamps at most 56 of its pods run at once; here they come 40,000 times as fast and again, until they would hold all of the
cluster's GPUs at the busiest moment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from kcore.cli.main import main

PODS: Final = {
    "name": "name", "arrival": "creation_time", "start": "scheduled_time", "departure": "deletion_time", "cpu": "cpu_milli:m",
    "memory": "memory_mib:Mi", "gpus": "num_gpu", "gpu-share": "gpu_milli:m", "require": "gpu_spec=model",
}  # fmt: skip
NODES: Final = {
    "node-name": "sn", "node-cpu": "cpu_milli:m", "node-memory": "memory_mib:Mi", "node-gpus": "gpu", "node-label": "model",
}  # fmt: skip
SATURATED: Final = {"speed": "40000", "load": "1"}


def command(folder: Path, *more: str) -> list[str]:
    """The command that replays the trace of a folder; options that are given again count instead."""
    options = {**PODS, **NODES, "nodes": str(folder / "nodes.csv"), **SATURATED}
    return ["simulate", "trace", str(folder / "pods.csv"), *(f"--{name}={value}" for name, value in options.items()), *more]


if __name__ == "__main__":
    sys.exit(main(command(Path(sys.argv[1]) / "openb", *sys.argv[2:])))
