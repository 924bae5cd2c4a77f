"""`kcore bench scheduler`: the cases of kube-scheduler's own benchmark, and the scheduler alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kcore.cli import options
from kcore.cli.progress import Steps

Figures = dict[str, Any]
SIZES = ("small", "full", "smoke")
ALONE_HEADS = {"decisions_per_s": "decisions/s", "decide_us": "decide us", "take_in_us": "take in us", "confirm_us": "confirm us"}
MEMORY_HEADS = {"bytes_per_node": "bytes a node", "bytes_per_bound_pod": "bytes a bound pod"}


@click.command()
@click.argument("case", default="")
@click.option("--alone", is_flag=True, help="Measure decisions in memory, without an API server.")
@click.option("--size", type=click.Choice(SIZES), default="small", show_default=True, help="How much.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw a picture (PNG).")
@options.as_json
def command(case: str, alone: bool, size: str, plot: Path | None, as_json: bool) -> int:
    """Measure the scheduler; exit status 0 if all targets are met.

    CASE is a part of the names of the rows that are run, all by default.
    """
    from kcore.load.plots import can_plot

    if not alone:
        raise click.UsageError("what is measured is the scheduler alone: --alone")
    if plot is not None and not can_plot():
        raise click.ClickException("--plot needs matplotlib: pip install 'kcore[bench]'")
    if plot is not None and not plot.parent.is_dir():
        raise click.ClickException(f"{plot}: there is no such folder")
    report = run_alone(case, size, plot)
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(alone_lines(report)))
    return 1 if report["missed"] else 0


def run_alone(case: str, size: str, plot: Path | None) -> Figures:
    """Measure the scheduler in memory."""
    from kcore.load.scheduling import alone, plots

    chosen = [row for row in alone.SIZES[size] if case in row.name]
    if not chosen:
        raise click.BadParameter(f"no row of this size has {case!r} in its name", param_hint="CASE")
    with Steps([row.name for row in chosen]) as steps:
        report = alone.run(size, chosen, steps.begin)
    if plot is not None:
        plots.growth(report, plot)
    return report


def alone_lines(report: Figures) -> Iterator[str]:
    """The scheduler alone, for people."""
    from kcore.cli.bench import machine_line
    from kcore.machinery import table

    yield machine_line(report)
    for heads in (ALONE_HEADS, MEMORY_HEADS):
        figures = [*heads]
        rows = [
            [name, *(f"{row[figure]:,}" for figure in figures), aims(row, figures)]
            for name, row in report["rows"].items()
            if figures[0] in row
        ]
        if rows:
            yield ""
            yield table.render(["row", *heads.values(), "target"], rows, as_heads=str)
    yield ""
    yield from (f"missed: {sentence}" for sentence in report["missed"])


def aims(row: Figures, figures: list[str]) -> str:
    """The targets of a row's figures."""
    return ", ".join(f"{row['targets'][figure]:,}" for figure in figures if figure in row["targets"])
