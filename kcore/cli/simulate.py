"""`kcore simulate`: what the scheduler would decide if a cluster were another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kcore.cli import clusters, manifests, options
from kcore.cli.simulate_trace import trace

if TYPE_CHECKING:
    from kcore.simulate.changes import Change
    from kcore.simulate.cluster import Cluster

CHANGES = ("adds", "drains", "racks", "grows")
ROWS = 10


class InOrder(click.Group):
    """A command that remembers in which order its changes were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note the order; what is wrong with the options is said by the parser itself."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta["changes"] = [parameter.name for parameter in given if parameter.name in CHANGES]
        return super().parse_args(ctx, args)


@click.group(cls=InOrder, invoke_without_command=True, subcommand_metavar="[trace FILE ...]")
@click.pass_context
@click.option("--add", "adds", multiple=True, metavar="FILE=N", help="N pods of a Pod, or of a workload's pod template, come.")
@click.option("--drain", "drains", multiple=True, metavar="NODE", help="A node goes; its pods look for another one.")
@click.option("--drain-selector", "racks", multiple=True, metavar="LABELS", help="All nodes with these labels go, such as a rack.")
@click.option("--grow", "grows", multiple=True, metavar="NODE=N", help="N nodes like this one come.")
@click.option("--backtest", is_flag=True, help="Tell instead how many bound pods stand where the scheduler would put them.")
@click.option("--seed", type=int, default=0, show_default=True, help="By which ties are broken.")
@click.option("--rows", type=click.IntRange(0), default=ROWS, show_default=True, help="Lines shown of each table; 0 shows all.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw a heat map of the nodes (PNG).")
@options.scheduler_config
@options.as_json
@clusters.source
def command(
    ctx: click.Context,
    source: clusters.Source,
    backtest: bool,
    seed: int,
    rows: int,
    plot: Path | None,
    config_file: Path | None,
    as_json: bool,
    **given: tuple[str, ...],
) -> None:
    """Change a cluster in memory, and show what the scheduler would decide.

    The cluster is that of the running control plane, unless --dump, --snapshot or --kubeconfig names another one; it is only read, and
    Secrets are not read at all. The changes are made in the order in which they are given, each after all that waits has been decided.
    """
    if ctx.invoked_subcommand is not None:
        if any(ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT for name in ctx.params):
            raise click.UsageError(f"{ctx.invoked_subcommand} has options of its own, which stand behind it")
        return
    from kcore.cli import scheduler_configuration
    from kcore.machinery.codec import DecodeError
    from kcore.simulate import backtest as backtesting
    from kcore.simulate import plots, text
    from kcore.simulate.changes import ChangeError
    from kcore.simulate.report import simulated

    check(backtest, plot, given)
    configuration = scheduler_configuration.read(config_file) if config_file is not None else None
    try:
        cluster = source.read()
        if backtest:
            report, told = backtesting.backtested(cluster, configuration), text.backtest_lines
        else:
            wanted = list(changes(ctx.meta["changes"], given, cluster))
            report, told = simulated(cluster, wanted, seed, configuration), text.lines
    except (ChangeError, DecodeError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(told(report, rows)))
    if plot is not None:
        plots.heat_map(report, plot)


def check(backtest: bool, plot: Path | None, given: dict[str, tuple[str, ...]]) -> None:
    """Refuse what does not go together. Raises ClickException."""
    if backtest and (any(given.values()) or plot is not None):
        raise click.UsageError("--backtest judges the cluster as it is: it goes without changes and without --plot")
    check_plot(plot)


def check_plot(plot: Path | None) -> None:
    """Refuse a picture that could not be drawn. Raises ClickException."""
    from kcore.simulate.plots import can_plot

    if plot is not None and not plot.parent.is_dir():
        raise click.ClickException(f"{plot}: there is no such folder")
    if plot is not None and not can_plot():
        raise click.ClickException("--plot needs matplotlib: pip install 'kcore[bench]'")


def changes(order: list[str], given: dict[str, tuple[str, ...]], cluster: Cluster) -> Iterator[Change]:
    """The changes in the order in which they were given. Raises ChangeError, ClickException."""
    from kcore.machinery.labels import SelectorError, parse
    from kcore.simulate.changes import Add, Drain, DrainSelected, Grow, counted

    values = {name: iter(texts) for name, texts in given.items()}
    for name in order:
        text = next(values[name])
        if name == "adds":
            file, count = counted(text)
            yield Add(f"add {text}", template(file, cluster), count)
        elif name == "drains":
            yield Drain(f"drain {text}", text)
        elif name == "racks":
            try:
                yield DrainSelected(f"drain nodes with {text}", parse(text))
            except SelectorError as error:
                raise click.BadParameter(str(error), param_hint="--drain-selector") from error
        else:
            yield Grow(f"grow {text}", *counted(text))


def template(file: str, cluster: Cluster) -> Any:
    """The one object of a file that is about pods, as a template of them. Raises ClickException."""
    from kcore.simulate import templates

    found = list[manifests.Object]()
    for each in manifests.read(file):
        if isinstance(each, manifests.Broken):
            raise click.ClickException(f"{each.source}: {each.reason}")
        found.append(each.obj)
    found = [each for each in found if templates.pod_of(each)] or found
    if len(found) != 1:
        raise click.ClickException(f"{file} holds {len(found)} objects that may be meant, and a template is one")
    try:
        return templates.template(found[0], cluster.others)
    except templates.TemplateError as error:
        raise click.ClickException(f"{file}: {error}") from error


command.add_command(trace)
