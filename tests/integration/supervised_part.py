"""A part for the supervisor's tests: it keeps to the protocol, misbehaves on request, and writes down what happened to it."""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from kcore.base import service
from kcore.base.config import DataDir
from kcore.base.lock import Holder


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--fail", help="report this reason and end")
    parser.add_argument("--crash", help="end with this exception")
    parser.add_argument("--fail-once-marker", help="end silently if this file exists")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    options = parser.parse_args()
    directory = DataDir.at(options.data_dir)
    service.adopt(options.ready_fd)
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.crash:
        raise RuntimeError(options.crash)
    if options.fail:
        service.report_failed(options.ready_fd, options.fail)
        sys.exit(1)
    service.await_turn(options.ready_fd)
    held = service.lock_part(directory, options.name, options.ready_fd)
    assert not isinstance(held, Holder), held
    if options.fail_once_marker and Path(options.fail_once_marker).exists():
        sys.exit(7)
    record(directory, f"{options.name} started {os.getpid()}")
    if not options.deaf:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    service.report_ready(options.ready_fd)
    try:
        while True:
            time.sleep(3600)
    finally:
        record(directory, f"{options.name} stopped {os.getpid()}")


def record(directory: DataDir, line: str) -> None:
    with open(directory.path / "record", "a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
