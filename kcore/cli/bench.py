"""`kcore bench`: the loads whose figures stand in bench/README.md."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from kcore.cli import options
from kcore.cli.progress import Steps

Figures = dict[str, Any]


@click.command()
@click.option("--size", type=click.Choice(["smoke", "full"]), default="full", show_default=True, help="A minute or two, or a few seconds.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/bench"),
    show_default=True,
    help="Where pictures are put, if matplotlib is installed (the extra `bench`).",
)
@options.json_file
def command(size: str, plots: Path, json_file: str | None) -> int:
    """Measure start, rest and pod loads on hollow nodes, each from a fresh data directory; exit status 1 if a floor is missed."""
    from kcore.load import plots as pictures
    from kcore.load import workloads

    with Steps([row.name for row in workloads.SIZES[size]]) as steps:
        try:
            report = workloads.run(size, steps.begin)
        except workloads.BenchError as error:
            raise click.ClickException(str(error)) from error
    if json_file != "-":
        click.echo(text(report))
    if json_file is not None:
        (sys.stdout.write if json_file == "-" else Path(json_file).write_text)(json.dumps(report, indent=2) + "\n")
    if pictures.can_plot() and size == "full":
        for path in pictures.plot(report, plots):
            click.echo(f"drew {path}", err=json_file == "-")
    return 1 if report["missed"] else 0


def text(report: Figures) -> str:
    """The report for people, beside the floors."""
    from kcore.load.workloads import FLOORS

    where = report["machine"]
    lines = [f"{where['cpus']} CPUs, {where['memory_mb']} MB, {where['system']}, Python {where['python']}, kcore {where['kcore']}", ""]
    rests = {name: row for name, row in report["rows"].items() if "idle_cpu_percent" in row}
    loads = {name: row for name, row in report["rows"].items() if "bound_per_s" in row}
    for name, row in rests.items():
        limits = [f" (at most {FLOORS[name, figure]:g})" if (name, figure) in FLOORS else "" for figure in ("start_s", "memory_mb")]
        lines.append(f"{name}: ready in {row['start_s']:.2f} s{limits[0]}, {row['memory_mb']:.0f} MB{limits[1]}, ")
        lines[-1] += f"idle {row['idle_cpu_percent']:.1f} % of a CPU"
    lines.append(f"\n{'':42}{'created/s':>10}{'bound/s':>10}{'running/s':>10}{'floor':>8}{'bind p50':>10}{'p95':>8}{'p99 ms':>8}")
    for name, row in loads.items():
        floor = FLOORS.get((name, "bound_per_s"))
        lines.append(
            f"{name:42}{row['created_per_s']:>10.0f}{row['bound_per_s']:>10.0f}{row['running_per_s']:>10.0f}"
            f"{'' if floor is None else f'{floor:.0f}':>8}"
            f"{row['bind_ms']['p50']:>10.0f}{row['bind_ms']['p95']:>8.0f}{row['bind_ms']['p99']:>8.0f}"
        )
        used = ", ".join(f"{part} {us:.0f}" for part, us in row["cpu_us_per_pod"].items())
        lines.append(f"{'':6}us of CPU for a pod: {used}")
    lines += ["", *(f"missed: {sentence}" for sentence in report["missed"])]
    return "\n".join(lines).rstrip()
