"""`kcore controllers`: the controller manager alone."""

from __future__ import annotations

import click

from kcore.base.config import DataDir
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@options.optional_controllers
@options.logging
@options.ready_fd
def command(directory: DataDir, optional: tuple[str, ...], log_level: str, log_json: bool, ready_fd: int | None) -> None:
    """Run the controllers alone.

    Works against the API server of a data directory; where several run, one leads and the others stand by.
    """
    run_part("controllers", directory, optional, ready_fd, log_level, log_json)
