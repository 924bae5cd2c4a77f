"""`kcore down`: stop a control plane."""

from __future__ import annotations

import json

import click

from kcore.base import service
from kcore.base.config import DataDir
from kcore.cli import options


@click.command()
@options.data_dir
@options.as_json
def command(directory: DataDir, as_json: bool) -> None:
    """Stop the control plane of a data directory.

    Stops what a supervisor that died left behind, too; parts that somebody runs alone are let be.
    """
    stopped = service.stop_all(directory)
    if "apiserver" not in service.running(directory):
        directory.endpoints.unlink(missing_ok=True)
    if as_json:
        click.echo(json.dumps({"data_dir": str(directory.path), "stopped": stopped}))
    else:
        click.echo(f"stopped: {', '.join(stopped)}" if stopped else f"nothing runs in {directory.path}")
