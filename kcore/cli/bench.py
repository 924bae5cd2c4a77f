"""`kcore bench`: the rows whose figures stand in bench/README.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kcore.cli import bench_scheduler, options
from kcore.cli.progress import Steps
from kcore.load.bench import rows

Figures = dict[str, Any]


@click.group(invoke_without_command=True)
@click.option("--size", type=click.Choice(list(rows.SIZES)), default="full", show_default=True, help="How much.")
@click.option("--only", default="", metavar="TEXT", help="Only the rows whose name has this text.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/bench"),
    show_default=True,
    help="Where pictures are put, if matplotlib is installed (the extra `bench`).",
)
@options.json_file
@click.pass_context
def command(context: click.Context, size: str, only: str, plots: Path, json_file: str | None) -> int:
    """Measure start, rest, pod loads, calls, lists and watches, each from a fresh data directory; exit status 0 if all targets are met."""
    return 0 if context.invoked_subcommand else measure(size, only, plots, json_file)


command.add_command(bench_scheduler.command, "scheduler")


def measure(size: str, only: str, plots: Path, json_file: str | None) -> int:
    """Run rows and report; -> the exit status."""
    from kcore.load import plots as pictures
    from kcore.load.bench import report

    chosen = [row for row in rows.SIZES[size] if only in row.name]
    if not chosen:
        raise click.BadParameter(f"no row of this size has {only!r} in its name", param_hint="--only")
    with Steps([row.name for row in chosen]) as steps:
        found = report.run(size, chosen, steps.begin)
    if json_file != "-":
        click.echo("\n".join(lines(found)))
    if json_file is not None:
        (sys.stdout.write if json_file == "-" else Path(json_file).write_text)(json.dumps(found, indent=2) + "\n")
    if pictures.can_plot() and size != "smoke":
        for path in pictures.plot(found, plots):
            click.echo(f"drew {path}", err=json_file == "-")
    return 1 if found["missed"] or (found["not_measured"] and size != "smoke") else 0


def lines(report: Figures) -> Iterator[str]:
    """The report for people, beside the targets."""
    yield machine_line(report)
    for name, row in report["rows"].items():
        yield f"\n{name}"
        yield from row_lines(row)
    yield ""
    yield from (f"missed: {sentence}" for sentence in report["missed"])
    yield from (f"not measured: {sentence}" for sentence in report["not_measured"])


def machine_line(report: Figures) -> str:
    """On what it was measured."""
    where = report["machine"]
    return f"{where['cpus']} CPUs, {where['memory_mb']} MB, {where['system']}, Python {where['python']}, kcore {where['kcore']}"


def row_lines(row: Figures) -> Iterator[str]:
    """The figures of a row: those that have a target first, each with it."""
    for figure, target in row["targets"].items():
        if figure in row:
            yield f"    {figure:26}{row[figure]:>12,g}   at {'least' if rows.is_at_least(figure) else 'most'} {target:,g}"
    for figure, value in row.items():
        if figure in row["targets"] or figure == "targets" or value in ({}, []):
            continue
        if isinstance(value, dict):
            yield f"    {figure:26}{', '.join(f'{part} {each:,g}' for part, each in value.items())}"
        elif isinstance(value, bool | str | list):
            yield f"    {figure:26}{value}"
        else:
            yield f"    {figure:26}{value:>12,g}"
