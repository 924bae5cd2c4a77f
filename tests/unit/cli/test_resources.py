"""Arguments that name objects."""

import click
import pytest

from kcore.cli import resources


def meant(*arguments: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(target.spec.resource, target.names) for target in resources.targets(arguments)]


def test_a_type_alone_means_all_and_names_follow_it() -> None:
    assert meant("pods") == [("pods", ())]
    assert meant("po", "a", "b") == [("pods", ("a", "b"))]


@pytest.mark.parametrize("word", ["deployments", "deployment", "deploy", "deployments.apps", "Deployment"])
def test_a_kind_goes_by_many_words(word: str) -> None:
    assert meant(word) == [("deployments", ())]


def test_types_are_separated_by_commas_and_pairs_by_slashes() -> None:
    assert meant("svc,cm") == [("services", ()), ("configmaps", ())]
    assert meant("svc/a", "cm/b") == [("services", ("a",)), ("configmaps", ("b",))]


def test_all_means_what_people_run() -> None:
    kinds = [resource for resource, _ in meant("all")]
    assert {"pods", "services", "deployments", "replicasets"} <= set(kinds) and "secrets" not in kinds


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("x",), 'the server doesn\'t have a resource type "x"'),
        (("",), 'the server doesn\'t have a resource type ""'),
        (("pod/",), "arguments of the form TYPE/NAME must all have a name"),
        (("pod/a", "b"), "arguments of the form TYPE/NAME must all have a name"),
        (("pod", "pod/a"), "a name has no /: give TYPE NAME, or TYPE/NAME alone"),
        (("pod,svc", "a"), "names need one resource type"),
    ],
)
def test_what_means_nothing_is_said(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(click.ClickException) as caught:
        resources.targets(arguments)
    assert caught.value.message == sentence


def test_names_stand_with_their_kind_and_group() -> None:
    assert resources.qualified(resources.find("deploy"), "web") == "deployment.apps/web"
    assert resources.qualified(resources.find("po"), "a") == "pod/a"
