"""`kcore snapshot`: all that a running control plane stores, into a file and back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kcore.base.config import DataDir
from kcore.cli import options

if TYPE_CHECKING:
    from kcore.client.client import Client
    from kcore.serve.snapshot import Contents

PATH = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Save all that is stored into a file, or make a data directory of one."""


@command.command()
@click.argument("file", type=PATH)
@options.as_json
@options.server
def save(file: Path, as_json: bool, directory: DataDir, address: str | None, ca: Path | None, token: str | None, insecure: bool) -> int:
    """Write all that a running control plane stores, at one revision, into FILE.

    It holds secrets: only its owner may read it.
    """
    from kcore.cli import session

    partial = file.with_name(f".{file.name}.{os.getpid()}")

    async def act(client: Client) -> None:
        async for piece in client.snapshot():
            target.write(piece)

    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as target:
            session.run(act, directory, address, ca, token, insecure)
            target.flush()
            os.fsync(target.fileno())
        contents = read(partial)
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    report("saved", contents, file, as_json)
    return 0


@command.command()
@click.argument("file", type=PATH)
@options.as_json
@options.data_dir
def restore(file: Path, as_json: bool, directory: DataDir) -> int:
    """Make a data directory that has no store yet go on from FILE.

    Keys, certificates and tokens are not part of a snapshot; `kcore up` makes new ones. The Leases by which the saved scheduler and
    controllers led are given up.
    """
    from kcore.serve import snapshot
    from kcore.serve.failure import PartError

    contents = read(file)
    try:
        snapshot.write_store(contents, directory)
    except PartError as error:
        raise click.ClickException(str(error)) from error
    report("restored", contents, directory.path, as_json)
    return 0


def read(file: Path) -> Contents:
    """Raises ClickException for what is no whole snapshot."""
    from kcore.machinery.files.snapshot import SnapshotError
    from kcore.serve import snapshot

    try:
        return snapshot.read(file)
    except SnapshotError as error:
        raise click.ClickException(f"{file}: {error}") from error


def report(done: str, contents: Contents, where: Path, as_json: bool) -> None:
    """Say what was done."""
    facts = {"revision": contents.revision, "keys": len(contents.kvs), "path": str(where)}
    click.echo(json.dumps(facts) if as_json else f"{done} revision {contents.revision}: {len(contents.kvs)} keys in {where}")
