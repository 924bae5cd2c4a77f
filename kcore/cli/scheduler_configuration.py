"""The file of `--scheduler-config`: a KubeSchedulerConfiguration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from kcore.base.features import Features
from kcore.cli.manifests import Loader

if TYPE_CHECKING:
    from kcore.scheduler.configuration.reading import Configuration


def made(path: Path | None, features: Features) -> Configuration:
    """What a scheduler decides by: what a file says, if there is one, and the features that are on. Raises as `read`."""
    from kcore.scheduler.configuration.reading import Configuration

    return (read(path) if path is not None else Configuration())._replace(features=features)


def read(path: Path) -> Configuration:
    """What a file says. Raises ClickException with a line for each thing that is wrong."""
    from kcore.scheduler.configuration.reading import ConfigurationError
    from kcore.scheduler.configuration.reading import read as read_document

    try:
        return read_document(document(path))
    except ConfigurationError as error:
        raise click.ClickException("\n".join(f"{path}: {problem.message()}" for problem in error.problems)) from error


def document(path: Path) -> Any:
    """What a YAML file holds. Raises ClickException."""
    try:
        return yaml.load(path.read_text(), Loader=Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise click.ClickException(f"{path}: {' '.join(str(error).split())}") from error
