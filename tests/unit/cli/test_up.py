"""From the options of `up` to the command lines of its parts."""

from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kcore.base.features import GENERIC_WORKLOAD
from kcore.cli import options, up
from kcore.controllers import manager

PLAIN = up.UpOptions(3, up.PARTS, "127.0.0.1", 6443, 6444, 2379, None, False, "")


def lines(given: up.UpOptions) -> dict[str, str]:
    return {part.name: " ".join(part.arguments) for part in up.plan(given)}


def test_every_part_has_its_command_line_and_waits_for_the_apiserver() -> None:
    assert lines(PLAIN) == {
        "apiserver": "apiserver --bind 127.0.0.1 --port 6443 --grpc-port 6444 --etcd-port 2379",
        "scheduler": "scheduler",
        "controllers": "controllers",
        "nodes": "nodes --nodes 3 --wait-for-controllers",
    }
    assert {part.name: part.after for part in up.plan(PLAIN)} == {
        "apiserver": (), "scheduler": ("apiserver",), "controllers": ("apiserver",), "nodes": ("apiserver",),
    }  # fmt: skip


def test_nodes_wait_for_no_controllers_where_none_run() -> None:
    assert lines(replace(PLAIN, parts=("apiserver", "nodes")))["nodes"] == "nodes --nodes 3"


def test_what_was_asked_of_the_apiserver_is_passed_on() -> None:
    given = replace(PLAIN, insecure=True, token_auth_file=Path("/t.csv"))
    assert lines(given)["apiserver"].endswith("--token-auth-file /t.csv --insecure")


def test_features_go_to_all_parts_that_know_of_them() -> None:
    given = lines(replace(PLAIN, features=frozenset((GENERIC_WORKLOAD,))))
    assert [part for part, line in given.items() if line.endswith(" --feature-gates GenericWorkload=true")] == [
        "apiserver", "scheduler", "controllers",
    ]  # fmt: skip


def test_a_feature_that_there_is_not_is_refused() -> None:
    refused = CliRunner().invoke(up.command, ["--feature-gates", "GenericWorkloads=true"])
    assert refused.exit_code == 2 and "unrecognized feature gate: GenericWorkloads; there is GenericWorkload" in refused.output


def test_shapes_go_to_the_nodes_by_their_whole_path() -> None:
    given = replace(PLAIN, shapes_file=Path("/groups.yaml"))
    assert lines(given)["nodes"] == "nodes --nodes 3 --node-shapes /groups.yaml --wait-for-controllers"
    assert "shapes" not in lines(PLAIN)["nodes"]


def test_controllers_that_are_off_by_default_are_asked_for_by_name() -> None:
    given = replace(PLAIN, optional=("persistentvolume-binder",))
    assert lines(given)["controllers"] == "controllers --with-controllers persistentvolume-binder"
    assert set(options.OPTIONAL_CONTROLLERS) == set(manager.OPTIONAL)
    refused = CliRunner().invoke(up.command, ["--with-controllers", "job"])
    assert refused.exit_code == 2 and "job is not off by default" in refused.output


def test_the_configuration_goes_to_the_scheduler_by_its_whole_path() -> None:
    assert lines(replace(PLAIN, config_file=Path("/config.yaml")))["scheduler"] == "scheduler --scheduler-config /config.yaml"


def test_parts_are_known_once_and_in_order() -> None:
    assert up.read_parts("nodes, apiserver,nodes") == ("apiserver", "nodes")


@pytest.mark.parametrize("text", ["", ",", "scheduler", "apiserver,kubelet"])
def test_other_parts_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        up.read_parts(text)


@pytest.mark.parametrize(
    "given", [replace(PLAIN, bind="host"), replace(PLAIN, bind="0.0.0.0", insecure=True), replace(PLAIN, nodes=10_001)]
)
def test_what_must_not_be_is_refused(given: up.UpOptions) -> None:
    with pytest.raises(click.BadParameter):
        up.check(given)


def test_plain_text_is_for_any_loopback_address() -> None:
    up.check(replace(PLAIN, bind="::1", insecure=True))
    up.check(replace(PLAIN, bind="127.0.0.9", insecure=True, nodes=0))


def test_a_path_at_home_is_shown_short() -> None:
    assert up.short(Path.home() / ".kcore") == "~/.kcore"
    assert up.short(Path("/srv/kcore")) == "/srv/kcore"
