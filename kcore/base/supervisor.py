"""Starts the parts of a control plane as processes, keeps them running, and stops them.

Guarantees
- One supervisor per data directory: a second one is told who holds it.
- All parts start at once, by exec, each in a session of its own; a part gets its turn when those it needs are ready.
- The first start is all or nothing: a part that fails ends the whole, with that part's sentence. Later a part that dies is started
  again, as ``kcore.base.restarts`` judges.
- SIGTERM and SIGINT stop the parts one by one, the last of the list first; a second signal kills what is left.
- The parts die with the supervisor, however it dies (``kcore.base.service``).

Mechanism: one thread and one selector over the parts' channels, their process descriptors (pidfd) and the signal wake-up pipe.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kcore.base import limits, lock, log, restarts, service
from kcore.base.config import DataDir, write_private_json
from kcore.base.lock import Holder
from kcore.base.process import Child, spawn

_log = log.get("supervisor")


@dataclass(frozen=True, slots=True)
class Part:
    """One process: ``python -m MODULE ARGUMENTS --data-dir DIR --ready-fd N``, which gets its turn after others are ready."""

    name: str
    arguments: tuple[str, ...]
    after: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    module: str = "kcore"


class PartFailedError(Exception):
    """A part failed and the control plane with it; the text is one sentence for the user."""


class HeldError(Exception):
    """Another supervisor runs this data directory; the text is one sentence for the user."""


@dataclass(slots=True)
class _Managed:
    """What the supervisor knows of a part; ``child`` is None while the part waits to be started again."""

    part: Part
    history: restarts.History = field(default_factory=restarts.History)
    child: Child | None = None
    pidfd: int = -1
    started: float = 0.0
    has_turn: bool = False
    ready_since: float | None = None
    heard: bytes = b""
    restart_at: float = 0.0
    restart_count: int = 0

    @property
    def state(self) -> str:
        if self.child is None:
            return "waiting"
        return "starting" if self.ready_since is None else "ready"

    @property
    def start_deadline(self) -> float:
        return self.started + limits.PART_START_TIMEOUT_S


class Supervisor:
    """Runs the parts of one data directory until it is told to stop."""

    def __init__(
        self, directory: DataDir, parts: Sequence[Part], on_ready: Callable[[float], None], volatile: Sequence[Path] = ()
    ) -> None:
        """Prepare; ``volatile`` files say what runs now, so they are removed before the parts start and after they stopped."""
        self._directory = directory
        self._parts = {part.name: _Managed(part) for part in parts}
        self._on_ready = on_ready
        self._volatile = [*volatile, *(directory.part_state(name) for name in (*self._parts, "supervisor"))]
        self._selector = selectors.DefaultSelector()
        self._stop_signals = 0
        self._was_ready = False
        self._started = 0.0

    def run(self) -> None:
        """Start, watch, restart and stop; returns after a clean stop.

        Raises HeldError, and PartFailedError when a part failed for good (all others are stopped by then).
        """
        self._started = time.monotonic()
        self._directory.make()
        with ExitStack() as stack:
            held = lock.take(self._directory.supervisor_lock)
            if isinstance(held, Holder):
                raise HeldError(f"{self._directory.path} is in use by another kcore up, process {held.pid}")
            stack.callback(held.release)
            service.clear_leftovers(self._directory)
            stack.callback(self._selector.close)
            self._catch_signals(stack)
            stack.callback(self._remove_volatile)
            self._remove_volatile()
            stack.callback(self._stop)
            for managed in self._parts.values():
                self._start(managed)
            self._give_turns()
            while not self._stop_signals:
                self._wait(self._next_deadline())
                self._act_on_time()

    def _catch_signals(self, stack: ExitStack) -> None:
        """Turn SIGTERM, SIGINT and SIGHUP (its terminal was closed) into events of the selector."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        stack.callback(reader.close)
        stack.callback(writer.close)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer.fileno()))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, self._count_signal))
        self._selector.register(reader, selectors.EVENT_READ, lambda: reader.recv(64))

    def _count_signal(self, *_: object) -> None:
        self._stop_signals += 1

    def _wait(self, deadline: float | None) -> None:
        """Handle what happens until the deadline, at least one round of it."""
        timeout_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        for key, _ in self._selector.select(timeout_s):
            if key.fd in self._selector.get_map():  # what was handled before it in this round may have unregistered it
                key.data()

    def _next_deadline(self) -> float | None:
        """Return when the next part must be started or be ready."""
        deadlines = [managed.restart_at for managed in self._parts.values() if managed.state == "waiting"]
        deadlines += [managed.start_deadline for managed in self._parts.values() if managed.state == "starting"]
        return min(deadlines, default=None)

    def _act_on_time(self) -> None:
        now = time.monotonic()
        for managed in self._parts.values():
            if managed.child is None and now >= managed.restart_at:
                self._start(managed)
                self._give_turns()
            elif managed.child is not None and managed.state == "starting" and now >= managed.start_deadline:
                managed.heard = service.FAILED + f"it was not ready within {limits.PART_START_TIMEOUT_S:.0f} s".encode()
                managed.child.process.kill()

    def _start(self, managed: _Managed) -> None:
        part = managed.part
        arguments = [*part.arguments, "--data-dir", str(self._directory.path)]
        managed.child = child = spawn(part.module, arguments, self._directory.logs / f"{part.name}.out", part.environment)
        child.channel.setblocking(False)
        managed.pidfd = os.pidfd_open(child.process.pid)
        managed.started = time.monotonic()
        managed.heard, managed.ready_since, managed.has_turn = b"", None, False
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._hear(managed, child))
        self._selector.register(managed.pidfd, selectors.EVENT_READ, lambda: self._bury(managed))
        _log.info("part started", name=part.name, pid=child.process.pid)
        self._write_state()

    def _give_turns(self) -> None:
        """Let those parts go whose needs are ready."""
        for managed in self._parts.values():
            needs = [self._parts[name] for name in managed.part.after if name in self._parts]
            if managed.child is None or managed.has_turn or any(need.ready_since is None for need in needs):
                continue
            managed.has_turn = True
            with suppress(BrokenPipeError):
                managed.child.channel.send(service.GO)

    def _hear(self, managed: _Managed, child: Child) -> None:
        """Take in what a part says; its end is noticed by its process, not by its channel."""
        chunk = _receive(child.channel)
        managed.heard += chunk
        if not chunk:
            self._selector.unregister(child.channel)
        elif managed.heard == service.READY:
            managed.ready_since = time.monotonic()
            _log.info("part ready", name=managed.part.name, after_s=managed.ready_since - managed.started)
            self._give_turns()
            ready_first = not self._was_ready and all(other.state == "ready" for other in self._parts.values())
            self._was_ready = self._was_ready or ready_first
            self._write_state()
            if ready_first:
                self._on_ready(time.monotonic() - self._started)

    def _bury(self, managed: _Managed) -> None:
        """Note that a part's process ended, and decide what becomes of it."""
        reason = self._reap(managed)
        if self._stop_signals:
            return
        _log.warning("part died", name=managed.part.name, reason=reason)
        if not self._was_ready:
            raise PartFailedError(f"{managed.part.name} failed: {reason}")
        judgement = managed.history.died(time.monotonic(), managed.ready_since)
        if isinstance(judgement, restarts.GiveUp):
            raise PartFailedError(f"{managed.part.name} {judgement.reason}; the last time: {reason}")
        managed.restart_at = time.monotonic() + judgement.delay_s
        managed.restart_count += 1
        self._write_state()

    def _reap(self, managed: _Managed) -> str:
        """Collect an ended process, let go of what belonged to it, and return why it ended."""
        child = managed.child
        assert child is not None
        managed.heard += _receive(child.channel)
        reason = child.why_ended()
        if managed.heard.startswith(service.FAILED):
            reason = managed.heard.removeprefix(service.FAILED).decode(errors="replace").strip()
        with suppress(KeyError):
            self._selector.unregister(child.channel)
        self._selector.unregister(managed.pidfd)
        child.channel.close()
        os.close(managed.pidfd)
        managed.child, managed.pidfd = None, -1
        return reason

    def _stop(self) -> None:
        """Stop the parts, the last first, each with a deadline; a further signal shortens it."""
        self._stop_signals = patience = max(self._stop_signals, 1)
        for managed in reversed(self._parts.values()):
            if managed.child is None:
                continue
            process = managed.child.process
            process.terminate()
            deadline = time.monotonic() + limits.PART_STOP_TIMEOUT_S + limits.PART_KILL_GRACE_S
            while managed.state != "waiting" and time.monotonic() < deadline and self._stop_signals == patience:
                self._wait(deadline)
            if managed.state != "waiting":
                _log.warning("part killed, since it did not stop", name=managed.part.name)
                process.kill()
                self._reap(managed)

    def _remove_volatile(self) -> None:
        for path in self._volatile:
            path.unlink(missing_ok=True)

    def _write_state(self) -> None:
        """Say for ``kcore status`` which processes run."""
        parts = {
            name: {
                "pid": managed.child.process.pid if managed.child else None,
                "state": managed.state,
                "restarts": managed.restart_count,
            }
            for name, managed in self._parts.items()
        }
        write_private_json(self._directory.part_state("supervisor"), {"pid": os.getpid(), "ready": self._was_ready, "parts": parts})


def detach(arguments: Sequence[str], directory: DataDir, module: str = "kcore") -> None:
    """Run ``python -m MODULE ARGUMENTS --ready-fd N``, which is a supervisor, as a process of its own and return when it is ready.

    It keeps no file descriptor of this process open and has no terminal. Raises PartFailedError with its sentence.
    """
    directory.make()
    child = spawn(module, arguments, directory.logs / "supervisor.out", {})
    with child.channel:
        heard = b""
        while chunk := _receive(child.channel):
            heard += chunk
            if heard.endswith(b"\n"):
                break
    if heard == service.READY:
        child.process.returncode = 0  # it lives on, and nobody here waits for it
        return
    ending = child.why_ended()
    raise PartFailedError(heard.removeprefix(service.FAILED).decode(errors="replace").strip() or ending)


def _receive(channel: socket.socket) -> bytes:
    """Receive what there is; nothing when the other end is gone."""
    try:
        return channel.recv(4096)
    except (ConnectionResetError, BlockingIOError):
        return b""
