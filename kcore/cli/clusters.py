"""The cluster that a simulation starts from: the options that name one, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from kcore.base.config import DataDir
from kcore.cli import manifests, options

if TYPE_CHECKING:
    from kcore.client.client import Client
    from kcore.client.kinds import Resource
    from kcore.load.rest import RestServer
    from kcore.simulate.cluster import Cluster

Command = Callable[..., Any]
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Source(NamedTuple):
    """Where a cluster is: in dumps, in a snapshot, behind a kubeconfig, else that of a running control plane."""

    dumps: tuple[str, ...]
    snapshot: Path | None
    kubeconfig: Path | None
    context: str
    directory: DataDir
    address: str | None
    ca: Path | None
    token: str | None
    insecure: bool

    @property
    def named(self) -> list[str]:
        """The options by which another cluster is named than the running one."""
        named = {"--dump": self.dumps, "--snapshot": self.snapshot, "--kubeconfig": self.kubeconfig}
        return [option for option, value in named.items() if value]

    def read(self) -> Cluster:
        """Read the cluster. Raises ClickException."""
        if self.dumps:
            return of_dumps(self.dumps)
        if self.snapshot is not None:
            return of_snapshot(self.snapshot)
        if self.kubeconfig is not None:
            return over_rest(self.kubeconfig, self.context)
        return of_server(self.directory, self.address, self.ca, self.token, self.insecure)


def source(function: Command) -> Command:
    """The options that name a cluster, as one `source`."""

    @wraps(function)
    def sourced(*args: Any, **given: Any) -> Any:
        found = Source(**{field: given.pop(field) for field in Source._fields})
        if len(found.named) > 1:
            raise click.UsageError(f"{' and '.join(found.named)} name {len(found.named)} clusters")
        return function(*args, source=found, **given)

    made: Command = sourced
    for option in (
        options.server,
        click.option("--context", default="", help="Which context of the kubeconfig, if not the current one."),
        click.option(
            "--kubeconfig", type=FILE, default=None, help="The cluster is the one that this leads to, any Kubernetes; it is only read."
        ),
        click.option("--snapshot", type=FILE, default=None, help="The cluster is what kcore snapshot save wrote here."),
        click.option(
            "--dump",
            "dumps",
            multiple=True,
            metavar="FILE",
            help="The cluster is what kubectl get -o json or yaml wrote here; may be repeated.",
        ),
    ):
        made = option(made)
    return made


def of_dumps(dumps: tuple[str, ...]) -> Cluster:
    """The cluster that stands in files. Raises ClickException."""
    from kcore.simulate import cluster

    documents = [document for file in dumps for document in manifests.read(file)]
    found = cluster.of_objects(each.obj for each in documents if isinstance(each, manifests.Document))
    found.skipped.update({each.source: each.reason for each in documents if isinstance(each, manifests.Broken)})
    if not found.nodes:
        raise click.ClickException(f"{', '.join(dumps)}: there is no Node")
    return found


def of_snapshot(path: Path) -> Cluster:
    """The cluster that stands in a snapshot. Raises ClickException."""
    from kcore.machinery.codec import DecodeError
    from kcore.machinery.files.snapshot import SnapshotError
    from kcore.simulate import cluster

    try:
        with path.open("rb") as file:
            return cluster.of_snapshot(file)
    except (SnapshotError, DecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def of_server(directory: DataDir, address: str | None, ca: Path | None, token: str | None, insecure: bool) -> Cluster:
    """The cluster of a running control plane. Raises ClickException."""
    from kcore.cli import session
    from kcore.simulate import cluster

    async def act(client: Client) -> Cluster:
        async def listed(resource: Resource) -> list[bytes]:
            return [item.SerializeToString() for item in (await client.resource(resource).list()).items]

        return await cluster.read(listed)

    return session.run(act, directory, address, ca, token, insecure)


def over_rest(kubeconfig: Path, context: str) -> Cluster:
    """The cluster that a kubeconfig leads to. Raises ClickException."""
    from kcore.cli import session
    from kcore.simulate import cluster

    async def act(server: RestServer) -> Cluster:
        return await cluster.read(server.all)

    return session.over_rest(act, kubeconfig, context, 1)
