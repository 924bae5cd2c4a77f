"""`kcore completion SHELL`: a script that teaches the shell kcore's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    Use it as `source <(kcore completion bash)`.
    """
    from kcore.cli.main import group

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(group, {}, "kcore", "_KCORE_COMPLETE").source())
