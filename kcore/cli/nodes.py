"""`kcore nodes`: hollow nodes alone."""

from __future__ import annotations

from pathlib import Path

import click

from kcore.base import limits
from kcore.base.config import DataDir
from kcore.cli import options
from kcore.cli.part import run_part


@click.command()
@options.data_dir
@click.option("--nodes", "count", type=click.IntRange(0, limits.HOLLOW_NODES_MAX), default=10, show_default=True, help="How many.")
@options.node_shapes
@click.option("--wait-for-controllers", is_flag=True, help="A node is ready only with a podCIDR and without the not-ready taint.")
@click.option("--start-delay", type=float, default=0.0, help="Seconds from an image to a running container.")
@click.option("--pull-delay", type=float, default=0.0, help="Seconds that pulling an image takes.")
@click.option("--readiness-delay", type=float, default=0.0, help="Seconds from running to ready.")
@click.option("--termination-delay", type=float, default=0.0, help="Seconds that a deleted pod takes to end, within its grace period.")
@click.option("--failure-rate", type=click.FloatRange(0, 1), default=0.0, help="Chance that a container fails after it started.")
@click.option("--jitter", type=float, default=0.0, help="Delays are lengthened by up to this part of themselves.")
@options.logging
@options.ready_fd
def command(
    directory: DataDir,
    count: int,
    shapes_file: Path | None,
    wait_for_controllers: bool,
    start_delay: float,
    pull_delay: float,
    readiness_delay: float,
    termination_delay: float,
    failure_rate: float,
    jitter: float,
    log_level: str,
    log_json: bool,
    ready_fd: int | None,
) -> None:
    """Run hollow nodes alone.

    Simulates nodes that run pods, against the API server of a data directory.
    """
    from kcore.agent.settings import HollowSettings, NodeSettings
    from kcore.cli import shapes

    groups = shapes.read(shapes_file) if shapes_file is not None else ()
    hollow = HollowSettings(
        start_delay_s=start_delay,
        pull_delay_s=pull_delay,
        readiness_delay_s=readiness_delay,
        termination_s=termination_delay,
        failure_rate=failure_rate,
        jitter=jitter,
    )
    look = NodeSettings(count=shapes.total(groups) if groups else count, awaits_cidr=wait_for_controllers, shapes=groups)
    run_part("nodes", directory, (look, hollow), ready_fd, log_level, log_json)
