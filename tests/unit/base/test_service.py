"""A part's side of the protocol with its supervisor."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from kcore.base import limits, service


class FakeLoop:
    """Keeps signal handlers as an asyncio loop does."""

    def __init__(self) -> None:
        self.handlers: dict[int, Callable[..., object]] = {}

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        self.handlers[sig] = callback


def test_a_part_waits_for_its_turn_and_reports() -> None:
    supervisor, part = socket.socketpair()
    with supervisor, part:
        supervisor.send(service.GO)
        service.await_turn(part.fileno())
        service.report_ready(part.fileno())
        assert supervisor.recv(100) == service.READY
        service.report_failed(part.fileno(), "two\nlines " + "x" * 10_000)
        message = supervisor.recv(100_000)
        assert message.startswith(service.FAILED + b"two lines xxx")
        assert message.endswith(b"x\n")
        assert len(message) <= limits.REASON_CHARS_MAX + len(service.FAILED) + 1


def test_a_part_whose_supervisor_is_gone_ends() -> None:
    supervisor, part = socket.socketpair()
    supervisor.close()
    with part:
        with pytest.raises(SystemExit):
            service.await_turn(part.fileno())
        service.report_ready(part.fileno())


def test_a_part_that_runs_alone_talks_to_nobody() -> None:
    service.adopt(None)
    service.await_turn(None)
    service.report_ready(None)
    service.report_failed(None, "x")


def test_the_first_signal_stops_and_arms_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[int] = []
    stops: list[str] = []
    monkeypatch.setattr(signal, "alarm", alarms.append)
    loop = FakeLoop()
    service.on_stop(loop, lambda: stops.append("stop"))
    loop.handlers[signal.SIGTERM]()
    loop.handlers[signal.SIGTERM]()
    loop.handlers[signal.SIGINT]()
    assert stops == ["stop"]
    assert alarms == [int(limits.PART_STOP_TIMEOUT_S)]


def test_the_supervisor_stays_small() -> None:
    program = "import sys, kcore.base.supervisor; print(*sys.modules)"
    modules = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert not modules & {"asyncio", "grpc", "numpy", "lmdb", "google.protobuf", "click", "rich"}
