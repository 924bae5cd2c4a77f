"""`kcore scheduler`: the scheduler alone."""

from __future__ import annotations

import click

from kcore.base.config import DataDir
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@options.logging
@options.ready_fd
def command(directory: DataDir, log_level: str, log_json: bool, ready_fd: int | None) -> None:
    """Run the scheduler alone.

    Works against the API server of a data directory; where several run, one leads and the others stand by.
    """
    run_part("scheduler", directory, None, ready_fd, log_level, log_json)
