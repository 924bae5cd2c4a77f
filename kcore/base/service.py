"""A part's side of the bargain with its supervisor, and what others can ask about the parts of a data directory.

A supervised part is started by exec with ``--data-dir DIR --ready-fd N``. N is one end of a socket pair, its channel:

    supervisor -> part   "go"       once the parts that it needs are ready; until then it has time to import
    part -> supervisor   "ready"    once, when it serves
                         "failed"   with one sentence, instead

The part dies with its supervisor: the kernel sends SIGTERM when the supervisor's process is gone (``adopt``), and a supervisor
that was gone even before is noticed by the closed channel (``await_turn``). SIGTERM and SIGINT mean a clean stop with a deadline
(``on_stop``). A part that runs alone passes None for the channel everywhere.

    adopt(ready_fd)
    ... import what is dear ...
    await_turn(ready_fd)
    lock = lock_part(directory, "scheduler", ready_fd)
    ... serve ...
    report_ready(ready_fd)
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol

from kcore.base import limits, lock
from kcore.base.config import DataDir
from kcore.base.lock import FileLock, Holder

GO = b"go\n"
READY = b"ready\n"
FAILED = b"failed "

_PR_SET_PDEATHSIG = 1


class SignalLoop(Protocol):
    """What ``on_stop`` needs of an asyncio loop, real or uvloop."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        """Call back in the loop when the signal arrives."""
        ...


def adopt(ready_fd: int | None) -> None:
    """Tie this process's life to that of its supervisor; the first thing that a part does."""
    if ready_fd is None or sys.platform != "linux":
        return
    import ctypes

    os.set_inheritable(ready_fd, False)
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def await_turn(ready_fd: int | None) -> None:
    """Block until the parts that this one needs are ready; end the process if the supervisor is gone."""
    if ready_fd is None:
        return
    heard = b""
    while not heard.endswith(GO):
        chunk = os.read(ready_fd, len(GO))
        if not chunk:
            raise SystemExit("the supervisor is gone")
        heard += chunk


def report_ready(ready_fd: int | None) -> None:
    """Tell the supervisor that this part serves."""
    _report(ready_fd, READY)


def report_failed(ready_fd: int | None, reason: str) -> None:
    """Tell the supervisor in one sentence why this part will not serve; the process ends after it."""
    _report(ready_fd, FAILED + " ".join(reason.split())[: limits.REASON_CHARS_MAX].encode() + b"\n")


def _report(ready_fd: int | None, message: bytes) -> None:
    if ready_fd is None:
        return
    try:
        os.write(ready_fd, message)
    except BrokenPipeError:  # the supervisor is gone; its end is ours, by adopt
        return


def lock_part(directory: DataDir, part: str, ready_fd: int | None = None) -> FileLock | Holder:
    """Take the lock that makes this process *the* scheduler (say) of a data directory, or say which process is."""
    return lock.take(directory.part_lock(part), supervised=ready_fd is not None)


def on_stop(loop: SignalLoop, stop: Callable[[], object]) -> None:
    """Call ``stop`` on SIGTERM or SIGINT, once; end the process by force if it is still there when its time is up."""

    def handle() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: None)
        signal.alarm(int(limits.PART_STOP_TIMEOUT_S))  # SIGALRM, which nobody handles, ends a process
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle)


def running(directory: DataDir) -> dict[str, Holder]:
    """Return who holds the locks of a data directory, by part; the supervisor is one of them."""
    found = {}
    for path in sorted(directory.run.glob("*.lock")):
        holder = lock.holder_of(path)
        if holder is not None and holder.is_alive():
            found[path.stem] = holder
    return found


def stop_all(directory: DataDir) -> list[str]:
    """Stop what an ``up`` of this data directory started, and say which locks were held; the supervisor stops its parts itself.

    Parts that outlived a supervisor are stopped too; parts that somebody runs alone are let be.
    """
    stopped = []
    supervisor = lock.holder_of(directory.supervisor_lock)
    if supervisor is not None and supervisor.is_alive():
        stop_timeout_s = (limits.PART_STOP_TIMEOUT_S + limits.PART_KILL_GRACE_S) * (1 + len(running(directory)))
        end(supervisor, stop_timeout_s)
        stopped.append("supervisor")
    return stopped + clear_leftovers(directory)


def clear_leftovers(directory: DataDir) -> list[str]:
    """End supervised parts whose supervisor is gone; the kernel told them to stop, so that this mostly finds none."""
    leftovers = {name: holder for name, holder in running(directory).items() if holder.supervised}
    for holder in leftovers.values():
        end(holder, limits.PART_STOP_TIMEOUT_S)
    return list(leftovers)


def end(holder: Holder, timeout_s: float) -> None:
    """Ask a process to stop, and make it."""
    if holder.send(signal.SIGTERM) and not holder.wait(timeout_s):
        holder.send(signal.SIGKILL)
        holder.wait(limits.PART_KILL_GRACE_S)
