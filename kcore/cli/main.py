"""Finds the command and turns what goes wrong into one sentence and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

# command -> the module that holds it as `command`; a module is imported only when its command runs.
COMMANDS = {
    "up": "kcore.cli.up",
    "down": "kcore.cli.down",
    "status": "kcore.cli.status",
    "env": "kcore.cli.env",
    "demo": "kcore.cli.demo",
    "load": "kcore.cli.load",
    "bench": "kcore.cli.bench",
    "get": "kcore.cli.get",
    "describe": "kcore.cli.describe",
    "apply": "kcore.cli.apply",
    "delete": "kcore.cli.delete",
    "watch": "kcore.cli.watch",
    "explain-scheduling": "kcore.cli.explain_scheduling",
    "simulate": "kcore.cli.simulate",
    "snapshot": "kcore.cli.snapshot",
    "api-resources": "kcore.cli.api_resources",
    "proto": "kcore.cli.proto",
    "version": "kcore.cli.version",
    "completion": "kcore.cli.completion",
    "apiserver": "kcore.cli.apiserver",
    "scheduler": "kcore.cli.scheduler",
    "controllers": "kcore.cli.controllers",
    "nodes": "kcore.cli.nodes",
}
# Commands that only talk to a server: what goes wrong on a connection they say themselves, once.
SPEAKING = frozenset(("load", "get", "describe", "apply", "delete", "watch", "explain-scheduling", "simulate", "snapshot"))
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, or None."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in SPEAKING:
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read when grpc is imported
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def group() -> None:
    """kcore: a Kubernetes-compatible control plane."""


def main(argv: Sequence[str]) -> int:
    """Run a command line; -> exit status."""
    try:
        result = group.main(list(argv), prog_name="kcore", standalone_mode=False, obj=list(argv))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return fail(error.format_message().rstrip(".") + where, error.exit_code)
    except click.ClickException as error:
        return fail(error.format_message(), error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter would flush into the pipe once more
        return 0
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    return result if isinstance(result, int) else 0


def fail(sentence: str, code: int = 1) -> int:
    """Say what went wrong; -> the exit status."""
    click.echo(f"kcore: {sentence}", err=True)
    return code
