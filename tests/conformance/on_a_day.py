"""An API server that takes today for another day: `python -m tests.conformance.on_a_day FOLDER TOKENS`, until it is told to stop.

Tables show how old things are, and their recordings therefore the day on which they were made.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from kcore.base.clock import SystemClock
from kcore.base.config import DataDir
from kcore.serve import in_process
from kcore.serve.apiserver import ApiServerSettings

RECORDED_S = 1_795_521_600.0
"""Noon of the day on which the tables were recorded, in seconds since 1970."""


class AnotherDay(SystemClock):
    """The machine's clock, put back to noon of that day."""

    def __init__(self) -> None:
        self.behind_s = time.time() - RECORDED_S

    def now(self) -> float:
        return time.time() - self.behind_s


def main(folder: str, tokens: str) -> None:
    """Serve until SIGTERM."""
    settings = ApiServerSettings(port=0, grpc_port=0, token_auth_file=Path(tokens), clock=AnotherDay())
    in_process.run(DataDir(Path(folder)), in_process.Plan(settings, (), 0), lambda _: print("ready", flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
