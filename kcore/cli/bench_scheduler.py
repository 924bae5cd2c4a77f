"""`kcore bench scheduler`: the cases of kube-scheduler's own benchmark, and the scheduler alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from kcore.cli import options
from kcore.cli.progress import Steps

Figures = dict[str, Any]
SIZES = ("full", "small", "smoke")
ALONE_HEADS = {"decisions_per_s": "decisions/s", "decide_us": "decide us", "take_in_us": "take in us", "confirm_us": "confirm us"}
MEMORY_HEADS = {"bytes_per_node": "bytes a node", "bytes_per_bound_pod": "bytes a bound pod"}
CASE_HEADS = ("case", "pods", "pods/s", "p50", "p90", "p99", "attempts", "target")


@click.command()
@click.argument("case", default="")
@click.option("--alone", is_flag=True, help="Measure decisions in memory instead, without an API server, over growing clusters.")
@click.option("--size", type=click.Choice(SIZES), default="full", show_default=True, help="How much; targets are for the full size.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Draw pods a second over time, or how decisions grow with a cluster (PNG).",
)
@options.as_json
def command(case: str, alone: bool, size: str, plot: Path | None, as_json: bool) -> int:
    """Measure the scheduler; exit status 0 if all targets are met.

    Runs the cases of kube-scheduler's own benchmark, each against a control plane of its own: nodes and pods are made, and a watch sees
    when the measured ones are scheduled. CASE is the name of one, or a part of some names, or a file
    like those of bench/workloads/scheduling.
    """
    from kcore.load.plots import can_plot

    if plot is not None and not can_plot():
        raise click.ClickException("--plot needs matplotlib: pip install 'kcore[bench]'")
    if plot is not None and not plot.parent.is_dir():
        raise click.ClickException(f"{plot}: there is no such folder")
    report, told = (run_alone(case, size, plot), alone_lines) if alone else (run_cases(case, size, plot), case_lines)
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(lines(report, told(report))))
    return 1 if report["missed"] else 0


def run_cases(case: str, size: str, plot: Path | None) -> Figures:
    """Run cases end to end."""
    from kcore.load.bench.plane import BenchError
    from kcore.load.scheduling import plots, run, workload

    try:
        file = Path(case)
        chosen = [workload.read(file.read_text(), case)] if file.is_file() else workload.chosen(workload.workloads(), case)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    return followed(chosen, f"no case has {case!r} in its name", partial(run.run, size, chosen), plots.over_time, plot)


def run_alone(case: str, size: str, plot: Path | None) -> Figures:
    """Measure the scheduler in memory."""
    from kcore.load.scheduling import alone, plots

    chosen = [row for row in alone.SIZES[size] if case in row.name]
    return followed(chosen, f"no row of this size has {case!r} in its name", partial(alone.run, size, chosen), plots.growth, plot)


def followed(
    chosen: Sequence[Any],
    none: str,
    run: Callable[[Callable[[str], None]], Figures],
    draw: Callable[[Figures, Path], object],
    plot: Path | None,
) -> Figures:
    """Run what was chosen with a line of progress, and draw it; none: what is wrong where nothing was chosen."""
    if not chosen:
        raise click.BadParameter(none, param_hint="CASE")
    with Steps([each.name for each in chosen]) as steps:
        report = run(steps.begin)
    if plot is not None:
        draw(report, plot)
    return report


def lines(report: Figures, tables: Iterator[str]) -> Iterator[str]:
    """A report for people."""
    from kcore.cli.bench import machine_line

    yield machine_line(report)
    yield from tables
    yield ""
    yield from (f"missed: {sentence}" for sentence in report["missed"])


def case_lines(report: Figures) -> Iterator[str]:
    """The cases as a table, and what the scheduler's time was spent on."""
    from kcore.machinery import table

    measured = {name: row for name, row in report["rows"].items() if "scheduled_per_s" in row}
    if not measured:
        return
    yield ""
    yield table.render(CASE_HEADS, [case_row(name, row) for name, row in measured.items()], as_heads=str)
    points = list(dict.fromkeys(point for row in measured.values() for point in row["extension_point_us"]))
    if points:
        yield "\nmicroseconds at each extension point"
        spent = [[name, *(f"{row['extension_point_us'].get(point, 0):,.0f}" for point in points)] for name, row in measured.items()]
        yield table.render(["case", *points], spent, as_heads=str)


def case_row(name: str, row: Figures) -> list[str]:
    """A case in the table."""
    per_s = (f"{rate:,.0f}" for rate in (row["scheduled_per_s"], *row["window_per_s"].values()))
    return [name, f"{row['size']['pods']:,}", *per_s, attempts_text(row["attempts"]), aims(row, ["scheduled_per_s"])]


def attempts_text(attempts: dict[str, int]) -> str:
    """How many attempts there were, and how many of them found no node."""
    failed = sum(attempts.values()) - attempts.get("scheduled", 0)
    return f"{sum(attempts.values()):,}" + (f" ({failed:,} failed)" if failed else "")


def alone_lines(report: Figures) -> Iterator[str]:
    """The scheduler alone, as tables."""
    from kcore.machinery import table

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


def aims(row: Figures, figures: list[str]) -> str:
    """The targets of a row's figures."""
    return ", ".join(f"{row['targets'][figure]:,}" for figure in figures if figure in row["targets"])
