"""Holds the ratios of a run of bench/micro against those of bench/baseline.json.

    python -m bench.compare REPORT [--baseline FILE] [--plot FILE.png] [--write]

REPORT is what pytest-benchmark writes. Only ratios within one run are kept and compared, never seconds, which tell more of the machine
than of the code. A row's change is told in points, hundredths of its baseline. Exit status 1 when a ratio fell by more than a quarter, or a
row of the baseline was not measured; `--write` makes the report the baseline.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from kcore.load import plots

BASELINE: Final = Path(__file__).with_name("baseline.json")
POINTS_LOST_MAX: Final = 25.0
"""More than this is no noise: ratios of best rounds differ by a tenth between runs of one build."""

Ratios = dict[str, float]


class Change(NamedTuple):
    """A row in both runs; None where it is not there."""

    name: str
    before: float | None
    now: float | None

    @property
    def points(self) -> float | None:
        """Hundredths of the baseline that were won, or lost."""
        return None if self.before is None or self.now is None else round(100 * (self.now / self.before - 1), 1)

    @property
    def is_bad(self) -> bool:
        """Whether it fell too far, or vanished."""
        return self.now is None or (self.points is not None and self.points < -POINTS_LOST_MAX)


def ratios(report: dict[str, Any]) -> Ratios:
    """The rows of a report that have a ratio."""
    found = {row["fullname"].removeprefix("bench/micro/"): row["extra_info"].get("ratio") for row in report["benchmarks"]}
    return {name: ratio for name, ratio in sorted(found.items()) if ratio is not None}


def compare(baseline: Ratios, found: Ratios) -> list[Change]:
    """Every row of either."""
    return [Change(name, baseline.get(name), found.get(name)) for name in sorted({*baseline, *found})]


def lines(changes: list[Change]) -> Iterator[str]:
    """The comparison for people."""
    width = max((len(change.name) for change in changes), default=0)
    yield f"{'':{width}}{'baseline':>12}{'now':>12}{'points':>10}"
    for change in changes:
        cells = [f"{'' if ratio is None else f'{ratio:g}':>12}" for ratio in (change.before, change.now)]
        points = "new" if change.before is None else "not run" if change.points is None else f"{change.points:+.1f}"
        yield f"{change.name:{width}}{''.join(cells)}{points:>10}{'  fell by more than a quarter' if change.is_bad and change.now else ''}"


@click.command()
@click.argument("report", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path), default=BASELINE, help="What to compare with.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw multiples of the baseline.")
@click.option("--write", is_flag=True, help="Make the report the baseline.")
def main(report: Path, baseline: Path, plot: Path | None, write: bool) -> None:
    """Compare the ratios of REPORT with the baseline's."""
    found = ratios(json.loads(report.read_text()))
    if write:
        baseline.write_text(json.dumps(found, indent=2) + "\n")
    changes = compare(json.loads(baseline.read_text()) if baseline.exists() else {}, found)
    click.echo("\n".join(lines(changes)))
    if plot is not None:
        multiples = {each.name: each.now / each.before for each in changes if each.now and each.before}
        plots.against(plot, multiples, "multiples of the baseline")
    sys.exit(1 if any(change.is_bad for change in changes) else 0)


if __name__ == "__main__":
    main()
