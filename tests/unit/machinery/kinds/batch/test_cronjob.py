"""CronJob: schedules, zones, and what a run is made of."""
from typing import Any

import pytest

from kcore.machinery.kinds.batch import cronjob
from kcore.machinery.kinds.batch.schedule import schedule_trouble


@pytest.mark.parametrize(
    "text", ["* * * * *", "*/5 0-6/2 1,15 jan-mar mon", "0 0 ? * SUN", "@daily", "@every 1h30m", "TZ=UTC 0 0 * * *", "5/15 * * * *"],
)
def test_schedules_are_understood(text: str) -> None:
    assert schedule_trouble(text) == ""


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("changed", "expected exactly 5 fields, found 1: [changed]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        (f"{2**63} * * * *", f'failed to parse int from {2**63}: strconv.Atoi: parsing "{2**63}": value out of range'),
    ],
)
def test_other_texts_are_no_schedules(text: str, trouble: str) -> None:
    assert schedule_trouble(text) == trouble


def made(name: str = "c", **more: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}
    pod = {"containers": [container], "restartPolicy": "Never", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    spec = {"schedule": "0 0 * * *", "concurrencyPolicy": "Allow", "jobTemplate": {"spec": {"template": {"spec": pod}}}, **more}
    value: dict[str, Any] = {"metadata": {"name": name}, "spec": spec}
    cronjob.RULES.default(value)
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (made(), []),
        (made(timeZone="Europe/Zurich"), []),
        (made(timeZone="x/y"), ['spec.timeZone: Invalid value: "x/y": unknown time zone x/y']),
        (made(concurrencyPolicy="X"), ['spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"']),
        (made(schedule=""), ["spec.schedule: Required value"]),
        (made(schedule="TZ=UTC 0 0 * * *"), [
            'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
        ]),
        (made("c" * 53), [f'metadata.name: Invalid value: "{"c" * 53}": must be no more than 52 characters']),
    ],
)
def test_what_breaks_a_rule_is_named(value: dict[str, Any], expected: list[str]) -> None:
    assert [error.message() for error in cronjob.RULES.validate(value)] == expected


def test_the_job_of_a_run_gets_its_defaults_when_it_is_made() -> None:
    assert set(made()["spec"]["jobTemplate"]["spec"]) == {"template"}
    assert cronjob.RULES.validate_update(made("c" * 53), made()) == []
