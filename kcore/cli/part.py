"""Running one part as this process."""

from __future__ import annotations

from typing import Any

import click

from kcore.base.config import DataDir


def run_part(part: str, directory: DataDir, settings: Any, ready_fd: int | None, log_level: str, log_json: bool) -> None:
    """Run a part until it is told to stop."""
    from kcore.serve import parts
    from kcore.serve.failure import PartError

    try:
        parts.run(part, directory, settings, ready_fd, log_level, log_json)
    except PartError as error:
        raise click.ClickException(str(error)) from error
