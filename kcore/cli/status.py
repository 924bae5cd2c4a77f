"""`kcore status`: which processes of a control plane run."""

from __future__ import annotations

import json

import click

from kcore.base import service
from kcore.base.config import DataDir, Endpoints, read_json
from kcore.cli import options
from kcore.cli.up import TITLES

NOT_RUNNING = 3


@click.command()
@options.data_dir
@options.as_json
def command(directory: DataDir, as_json: bool) -> int:
    """Show the parts of a control plane.

    Exit status 3 if it does not run.
    """
    holders = service.running(directory)
    state = read_json(directory.part_state("supervisor")) or {}
    endpoints = Endpoints.read(directory) if "supervisor" in holders or "apiserver" in holders else None
    parts = {name: {"pid": holder.pid, **known(state, name)} for name, holder in holders.items()}
    if as_json:
        served = endpoints.served() if endpoints else {}
        click.echo(json.dumps({"data_dir": str(directory.path), "parts": parts, "endpoints": served}))
    elif not parts:
        click.echo(f"nothing runs in {directory.path}")
    else:
        click.echo(f"{'PART':14}{'PID':>8}  {'STATE':10}RESTARTS")
        for name, part in parts.items():
            click.echo(f"{name:14}{part['pid']:>8}  {part.get('state', 'running'):10}{part.get('restarts', 0)}")
        for name, address in (endpoints.served() if endpoints else {}).items():
            click.echo(f"{TITLES[name]} on {address}")
    return 0 if parts else NOT_RUNNING


def known(state: dict[str, object], name: str) -> dict[str, object]:
    """What the supervisor says of a part beside its process."""
    parts = state.get("parts")
    found = parts.get(name) if isinstance(parts, dict) else None
    return {key: found[key] for key in ("state", "restarts")} if isinstance(found, dict) else {}
