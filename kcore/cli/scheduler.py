"""`kcore scheduler`: the scheduler alone."""

from __future__ import annotations

from pathlib import Path

import click

from kcore.base.config import DataDir
from kcore.base.features import Features
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@options.scheduler_config
@options.feature_gates
@options.logging
@options.ready_fd
def command(
    directory: DataDir, config_file: Path | None, features: Features, log_level: str, log_json: bool, ready_fd: int | None
) -> None:
    """Run the scheduler alone.

    Works against the API server of a data directory; where several run, one leads and the others stand by.
    """
    from kcore.cli import scheduler_configuration

    configuration = scheduler_configuration.made(config_file, features)
    run_part("scheduler", directory, configuration, ready_fd, log_level, log_json)
