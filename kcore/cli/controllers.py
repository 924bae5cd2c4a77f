"""`kcore controllers`: the controller manager alone."""

from __future__ import annotations

import click

from kcore.base.config import DataDir
from kcore.base.features import Features
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@options.optional_controllers
@options.feature_gates
@options.logging
@options.ready_fd
def command(
    directory: DataDir, optional: tuple[str, ...], features: Features, log_level: str, log_json: bool, ready_fd: int | None
) -> None:
    """Run the controllers alone.

    Works against the API server of a data directory; where several run, one leads and the others stand by.
    """
    from kcore.controllers.settings import Settings

    run_part("controllers", directory, Settings(optional=optional, features=features), ready_fd, log_level, log_json)
