"""What the health and metrics port answers; its sockets are in tests/integration."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kcore.base import metrics
from kcore.base.config import DataDir
from kcore.serve.diagnostics import Diagnostics


@pytest.fixture
def diagnostics(tmp_path: Path) -> Diagnostics:
    return Diagnostics("scheduler", DataDir(tmp_path))


def test_a_part_lives_before_it_is_ready(diagnostics: Diagnostics) -> None:
    assert diagnostics.respond(b"/healthz") == diagnostics.respond(b"/livez") == ("200 OK", b"ok\n")
    assert diagnostics.respond(b"/readyz") == ("500 Internal Server Error", b"not ready\n")
    diagnostics.ready = True
    assert diagnostics.respond(b"/readyz") == ("200 OK", b"ok\n")


@pytest.mark.parametrize("path", [b"", b"/", b"/secrets", b"/metrics/.."])
def test_nothing_else_is_there(diagnostics: Diagnostics, path: bytes) -> None:
    assert diagnostics.respond(path)[0] == "404 Not Found"


def test_metrics_are_prometheus_text_with_every_declared_metric(diagnostics: Diagnostics) -> None:
    code, body = diagnostics.respond(b"/metrics")
    families = {family.name for family in text_string_to_metric_families(body.decode())}
    assert code == "200 OK" and {metric.name.removesuffix("_total") for metric in metrics.declared()} <= families
