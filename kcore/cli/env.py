"""`kcore env`: what a shell sets so that kubectl and client libraries find the control plane."""

from __future__ import annotations

import shlex

import click

from kcore.base.config import DataDir
from kcore.cli import options


@click.command()
@options.data_dir
def command(directory: DataDir) -> None:
    """Print what sets KUBECONFIG.

    For a shell: eval "$(kcore env)".
    """
    if not directory.kubeconfig.exists():
        raise click.ClickException(f"{directory.kubeconfig} is not there: kcore up writes it, once it serves HTTPS")
    click.echo(f"export KUBECONFIG={shlex.quote(str(directory.kubeconfig))}")
