"""`kcore version`: what this is."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version as version_of

import click

from kcore import __version__
from kcore.cli import options

KUBERNETES = "1.37"


@click.command()
@options.as_json
def command(as_json: bool) -> None:
    """Print the version of kcore.

    And that of the Kubernetes API that it serves, and of what it stands on.
    """
    facts = {"kcore": __version__, "kubernetes": KUBERNETES, "python": platform.python_version()}
    facts |= {name: version_of(name) for name in ("grpcio", "protobuf", "lmdb", "numpy")}
    click.echo(json.dumps(facts) if as_json else "\n".join(f"{name:11} {value}" for name, value in facts.items()))
