"""`kcore up`: start a control plane of processes and keep it running."""

from __future__ import annotations

import ipaddress
import json
import time
from dataclasses import dataclass
from pathlib import Path

import click

from kcore.base import limits, log, service
from kcore.base.config import DataDir, Endpoints
from kcore.base.features import NO_FEATURES, Features
from kcore.base.supervisor import HeldError, Part, PartFailedError, Supervisor, detach
from kcore.cli import options

TITLES = {"rest": "REST", "grpc": "gRPC", "etcd": "etcd"}
PARTS = ("apiserver", "scheduler", "controllers", "nodes")


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The command line of `up`, as its parts need it."""

    nodes: int
    parts: tuple[str, ...]
    bind: str
    port: int
    grpc_port: int
    etcd_port: int
    token_auth_file: Path | None
    insecure: bool
    features: Features = NO_FEATURES
    shapes_file: Path | None = None
    kubeconfig: Path | None = None
    optional: tuple[str, ...] = ()
    config_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """How whoever waits is told that everything is ready: a program on `ready_fd`, else a person or with `as_json` a program on stdout."""

    directory: DataDir
    as_json: bool
    ready_fd: int | None = None

    def ready(self, seconds: float) -> None:
        """Tell it, with the seconds that it took."""
        service.report_ready(self.ready_fd)
        if self.ready_fd is not None:
            return
        endpoints = Endpoints.read(self.directory)
        served = endpoints.served() if endpoints else {}
        if self.as_json:
            click.echo(json.dumps({"data_dir": str(self.directory.path), "endpoints": served, "ready_ms": round(seconds * 1000)}))
        else:
            where = ", ".join(f"{TITLES[name]} {address}" for name, address in served.items())
            click.echo(f"{where}; state in {short(self.directory.path)}\nready in {seconds * 1000:.0f} ms")


def read_parts(text: str) -> tuple[str, ...]:
    """`--parts`: known names, each once, the apiserver among them."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'} is no part: the parts are {', '.join(PARTS)}", param_hint="--parts")
    if "apiserver" not in names:
        raise click.BadParameter("a control plane has an apiserver", param_hint="--parts")
    return tuple(name for name in PARTS if name in names)


def check(given: UpOptions) -> None:
    """Refuse what must not be."""
    try:
        address = ipaddress.ip_address(given.bind)
    except ValueError:
        raise click.BadParameter(f"{given.bind!r} is no IP address", param_hint="--bind") from None
    if given.insecure and not address.is_loopback:
        raise click.BadParameter("plain text is for loopback addresses only", param_hint="--insecure")
    if not 0 <= given.nodes <= limits.HOLLOW_NODES_MAX:
        raise click.BadParameter(f"{given.nodes} is not in the range 0 to {limits.HOLLOW_NODES_MAX}", param_hint="--nodes")
    if given.shapes_file is not None:
        from kcore.cli import shapes

        shapes.groups(given.shapes_file)
    if given.config_file is not None:
        from kcore.cli import scheduler_configuration

        scheduler_configuration.read(given.config_file)


def plan(given: UpOptions) -> list[Part]:
    """The processes, with their command lines."""
    apiserver = [
        "apiserver",
        "--bind",
        given.bind,
        "--port",
        str(given.port),
        "--grpc-port",
        str(given.grpc_port),
        "--etcd-port",
        str(given.etcd_port),
    ]
    if given.token_auth_file is not None:
        apiserver += ["--token-auth-file", str(given.token_auth_file.absolute())]
    if given.kubeconfig is not None:
        apiserver += ["--kubeconfig", str(given.kubeconfig.absolute())]
    if given.insecure:
        apiserver.append("--insecure")
    gates = ["--feature-gates", ",".join(f"{name}=true" for name in sorted(given.features))] if given.features else []
    shapes = ["--node-shapes", str(given.shapes_file.absolute())] if given.shapes_file is not None else []
    config = ["--scheduler-config", str(given.config_file.absolute())] if given.config_file is not None else []
    others = {
        "scheduler": ["scheduler", *config, *gates],
        "controllers": ["controllers", *(["--with-controllers", ",".join(given.optional)] if given.optional else []), *gates],
        "nodes": ["nodes", "--nodes", str(given.nodes), *shapes, *(["--wait-for-controllers"] if "controllers" in given.parts else [])],
    }
    found = [Part("apiserver", (*apiserver, *gates))]
    return found + [Part(name, tuple(others[name]), after=("apiserver",)) for name in given.parts if name in others]


@click.command()
@options.data_dir
@click.option("--nodes", type=int, default=10, show_default=True, help="Number of hollow nodes; 0 for none.")
@options.node_shapes
@options.scheduler_config
@click.option("--parts", default=",".join(PARTS), show_default=True, help="Which parts run.")
@click.option("--in-process", is_flag=True, help="All parts in one process.")
@click.option("--bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", type=int, default=6443, show_default=True, help="HTTPS port; 0 picks a free one.")
@click.option("--grpc-port", type=int, default=6444, show_default=True, help="gRPC port; 0 picks a free one.")
@click.option("--etcd-port", type=int, default=2379, show_default=True, help="etcd port (not served yet); 0 picks a free one.")
@options.kubeconfig
@click.option(
    "--token-auth-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help='Further tokens: lines of token,user,uid,"groups".',
)
@click.option("--insecure", is_flag=True, help="Serve plain text; on loopback only.")
@options.optional_controllers
@options.feature_gates
@click.option("--detach", "detached", is_flag=True, help="Return when everything is ready, and leave it running.")
@options.as_json
@options.ready_fd
def command(
    directory: DataDir,
    nodes: int,
    shapes_file: Path | None,
    config_file: Path | None,
    parts: str,
    in_process: bool,
    bind: str,
    port: int,
    grpc_port: int,
    etcd_port: int,
    kubeconfig: Path | None,
    token_auth_file: Path | None,
    insecure: bool,
    optional: tuple[str, ...],
    features: Features,
    detached: bool,
    as_json: bool,
    ready_fd: int | None,
) -> None:
    """Start a control plane.

    Runs API server, scheduler, controllers and hollow nodes, and starts again what dies, until it is stopped.
    """
    where = (bind, port, grpc_port, etcd_port)
    files = (shapes_file, kubeconfig, optional, config_file)
    given = UpOptions(nodes, read_parts(parts), *where, token_auth_file, insecure, features, *files)
    check(given)
    if detached:
        given_line: list[str] = click.get_current_context().obj
        start_detached([argument for argument in given_line if argument not in ("--detach", "--json")], Announcement(directory, as_json))
    elif in_process:
        run_in_process(given, Announcement(directory, as_json, ready_fd))
    else:
        supervise(given, Announcement(directory, as_json, ready_fd))


def start_detached(arguments: list[str], announcement: Announcement) -> None:
    """Start the supervisor as a process of its own and wait until it is ready."""
    began = time.monotonic()
    try:
        detach(arguments, announcement.directory)
    except (PartFailedError, HeldError) as error:
        raise click.ClickException(str(error)) from error
    announcement.ready(time.monotonic() - began)


def supervise(given: UpOptions, announcement: Announcement) -> None:
    """Be the supervisor."""
    directory = announcement.directory
    directory.make()
    log.configure(directory.log("supervisor"))
    try:
        Supervisor(directory, plan(given), announcement.ready, volatile=[directory.endpoints]).run()
    except (PartFailedError, HeldError) as error:
        service.report_failed(announcement.ready_fd, str(error))
        raise click.ClickException(str(error)) from error


def run_in_process(given: UpOptions, announcement: Announcement) -> None:
    """Be all parts."""
    from kcore.cli import scheduler_configuration, shapes
    from kcore.controllers.settings import Settings
    from kcore.serve import in_process
    from kcore.serve.apiserver import ApiServerSettings
    from kcore.serve.failure import PartError

    directory = announcement.directory
    directory.make()
    log.configure(directory.log("supervisor"))
    kubeconfig = given.kubeconfig and given.kubeconfig.absolute()
    where = (given.bind, given.port, given.grpc_port)
    api = ApiServerSettings(*where, given.insecure, given.token_auth_file, kubeconfig, features=given.features)
    groups = shapes.read(given.shapes_file) if given.shapes_file is not None else ()
    nodes = shapes.total(groups) if groups else given.nodes
    configuration = scheduler_configuration.made(given.config_file, given.features)
    controllers = Settings(optional=given.optional, features=given.features)
    parts = tuple(part for part in given.parts if part != "apiserver")
    together = in_process.Plan(api, parts, nodes, groups, controllers, configuration)
    try:
        in_process.run(directory, together, announcement.ready)
    except PartError as error:
        service.report_failed(announcement.ready_fd, str(error))
        raise click.ClickException(str(error)) from error


def short(path: Path) -> str:
    """A path as people write it."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
