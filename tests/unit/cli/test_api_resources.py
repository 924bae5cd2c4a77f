"""`kcore api-resources` prints what the scheme serves."""

from __future__ import annotations

import json

import pytest

from kcore.cli.main import main
from kcore.machinery import scheme


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["api-resources", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_every_kind_that_is_served_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = printed(capsys)
    assert head.split() == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    assert [line.split()[0] for line in lines] == [spec.resource for spec in scheme.load().kinds.values()]
    deployments = next(line.split() for line in lines if line.startswith("deployments "))
    assert deployments == ["deployments", "deploy", "apps/v1", "true", "Deployment"]


def test_wide_output_shows_verbs_and_subresources(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "-o", "wide", "--api-group", "policy")
    assert len(lines) == 2 and "create,delete,deletecollection,get,list,patch,update,watch" in lines[1] and "status" in lines[1]


def test_the_core_group_has_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "-o", "name", "--api-group", "")
    assert "pods" in lines and not any("." in line for line in lines)
    assert printed(capsys, "-o", "name", "--api-group", "batch") == ["cronjobs.batch", "jobs.batch"]


def test_json_output_has_every_version_and_says_which_is_stored(capsys: pytest.CaptureFixture[str]) -> None:
    found = {(each["apiVersion"], each["name"]): each for each in json.loads(printed(capsys, "--json")[0])}
    scalers = [found[f"autoscaling/{version}", "horizontalpodautoscalers"] for version in ("v1", "v2")]
    assert [each["storageVersion"] for each in scalers] == [False, True]
    assert found["v1", "pods"]["subresources"]["eviction"] == ["create"]


def test_markdown_output_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "-o", "markdown")
    assert lines[1] == "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    assert {line.count(" | ") for line in lines if "Lease" in line} == {8}
