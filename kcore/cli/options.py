"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kcore.base.config import DataDir
from kcore.base.features import KNOWN, FeatureGateError, Features, parse

Command = Callable[..., Any]


class DataDirType(click.ParamType[DataDir]):
    """A path that becomes a DataDir."""

    name = "DIR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> DataDir:
        """Make the path absolute."""
        return value if isinstance(value, DataDir) else DataDir.at(value)


def data_dir(function: Command) -> Command:
    """`--data-dir DIR`."""
    return click.option(
        "--data-dir",
        "directory",
        type=DataDirType(),
        default=lambda: DataDir.default(),
        help="Where the control plane keeps its state (~/.kcore).",
    )(function)


def kubeconfig(function: Command) -> Command:
    """`--kubeconfig PATH`: where to write one."""
    return click.option(
        "--kubeconfig",
        type=click.Path(dir_okay=False, path_type=Path),
        default=None,
        help="Write a kubeconfig here too; DIR/kubeconfig is written always.",
    )(function)


def ready_fd(function: Command) -> Command:
    """`--ready-fd N`, by which a supervisor hears of its part."""
    return click.option("--ready-fd", type=int, default=None, hidden=True)(function)


OPTIONAL_CONTROLLERS = ("persistentvolume-binder",)
"""The controllers that are off by default."""


def _names(_context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in OPTIONAL_CONTROLLERS]
    if unknown:
        known = ", ".join(OPTIONAL_CONTROLLERS)
        raise click.BadParameter(f"{', '.join(unknown)} is not off by default; these are: {known}", param=parameter)
    return names


def optional_controllers(function: Command) -> Command:
    """`--with-controllers NAMES`: controllers that are off by default."""
    return click.option(
        "--with-controllers",
        "optional",
        default="",
        metavar="NAMES",
        callback=_names,
        help=f"Controllers to run that are off by default: {', '.join(OPTIONAL_CONTROLLERS)}.",
    )(function)


def node_shapes(function: Command) -> Command:
    """`--node-shapes FILE`: hollow nodes that differ."""
    return click.option(
        "--node-shapes",
        "shapes_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help="Hollow nodes as this YAML file says, instead of --nodes: a list of groups, each with count, capacity, labels and taints.",
    )(function)


def scheduler_config(function: Command) -> Command:
    """`--scheduler-config FILE`: how the scheduler decides."""
    return click.option(
        "--scheduler-config",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help="A KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, plugins, their weights and arguments.",
    )(function)


def _features(_context: click.Context, parameter: click.Parameter, text: str) -> Features:
    try:
        return parse(text)
    except FeatureGateError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def feature_gates(function: Command) -> Command:
    """`--feature-gates A=true`: which features are on."""
    return click.option(
        "--feature-gates",
        "features",
        default="",
        metavar="NAME=true,...",
        callback=_features,
        help=f"Features to switch on: {', '.join(KNOWN)}.",
    )(function)


def server(function: Command) -> Command:
    """How to reach a server: a data directory, or an address with CA and token."""
    function = click.option("--insecure", is_flag=True, help="Speak plain text to the server (loopback only).")(function)
    function = click.option("--token", default=None, help="Bearer token.")(function)
    function = click.option(
        "--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, help="PEM file of the server's CA."
    )(function)
    function = click.option(
        "--server", "address", default=None, metavar="HOST:PORT", help="gRPC address of a server; else that of the data directory."
    )(function)
    return data_dir(function)


def namespace(function: Command) -> Command:
    """`-n` and `-A`."""
    function = click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")(function)
    return click.option("-n", "--namespace", default="default", show_default=True, help="In this namespace.")(function)


def as_json(function: Command) -> Command:
    """`--json`: what is reported, as one document on standard output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def json_file(function: Command) -> Command:
    """`--json FILE`, - for standard output."""
    return click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, allow_dash=True),
        default=None,
        metavar="FILE",
        help="Write the report as JSON; - for standard output.",
    )(function)


def logging(function: Command) -> Command:
    """`--log-level` and `--log-json`."""
    function = click.option("--log-json", is_flag=True, help="Log lines as JSON.")(function)
    levels = click.Choice(["debug", "info", "warning", "error"])
    return click.option("--log-level", type=levels, default="info", show_default=True, help="What is logged.")(function)
