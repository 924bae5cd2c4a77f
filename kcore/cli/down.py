"""`kcore down`: stop a control plane."""

from __future__ import annotations

import click

from kcore.base import service
from kcore.base.config import DataDir
from kcore.cli import options


@click.command()
@options.data_dir
def command(directory: DataDir) -> None:
    """Stop the control plane of a data directory.

    Stops what a supervisor that died left behind, too; parts that somebody runs alone are let be.
    """
    stopped = service.stop_all(directory)
    if "apiserver" not in service.running(directory):
        directory.endpoints.unlink(missing_ok=True)
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else f"nothing runs in {directory.path}")
