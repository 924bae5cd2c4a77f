"""`kcore apiserver`: the API server alone."""

from __future__ import annotations

from pathlib import Path

import click

from kcore.base.config import DataDir
from kcore.base.features import Features
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@click.option("--bind", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", type=int, default=6443, show_default=True, help="HTTPS port; 0 picks a free one.")
@click.option("--grpc-port", type=int, default=6444, show_default=True, help="gRPC port; 0 picks a free one.")
@click.option("--etcd-port", type=int, default=2379, help="etcd port (not served yet).")
@click.option(
    "--token-auth-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help='Further tokens: lines of token,user,uid,"groups".',
)
@options.kubeconfig
@click.option("--insecure", is_flag=True, help="Serve plain text; on loopback only.")
@options.feature_gates
@options.logging
@options.ready_fd
def command(
    directory: DataDir,
    bind: str,
    port: int,
    grpc_port: int,
    etcd_port: int,  # noqa: ARG001 - a front-end that is not served yet
    token_auth_file: Path | None,
    kubeconfig: Path | None,
    insecure: bool,
    features: Features,
    log_level: str,
    log_json: bool,
    ready_fd: int | None,
) -> None:
    """Run the API server with its store."""
    from kcore.serve.apiserver import ApiServerSettings

    settings = ApiServerSettings(bind, port, grpc_port, insecure, token_auth_file, kubeconfig, features=features)
    run_part("apiserver", directory, settings, ready_fd, log_level, log_json)
