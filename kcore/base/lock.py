"""Who holds what: locks on files that die with their process.

The lock is the kernel's (``flock``); what the file says is only who took it last, for messages and for stopping a leftover. A
process id alone could by then be somebody else's, so the time at which the process started stands beside it: a ``Holder`` is
believed only while the lock is taken and such a process lives.
"""

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from select import poll

from kcore.base import limits


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock."""

    pid: int
    started_ticks: int
    supervised: bool = False

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return _started_ticks(self.pid) == self.started_ticks

    def send(self, number: signal.Signals) -> bool:
        """Signal that very process; return whether it was there."""
        pidfd = self._open()
        if pidfd is None:
            return False
        try:
            signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(pidfd)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until that process is gone; return whether it is."""
        pidfd = self._open()
        if pidfd is None:
            return True
        try:
            exited = poll()
            exited.register(pidfd)
            return bool(exited.poll(timeout_s * 1000))
        finally:
            os.close(pidfd)

    def _open(self) -> int | None:
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        if self.is_alive():
            return pidfd
        os.close(pidfd)
        return None


class FileLock:
    """A lock that this process holds until ``release`` or its end."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    def release(self) -> None:
        """Let others have it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def take(path: Path, supervised: bool = False) -> FileLock | Holder:
    """Take a lock, or say who holds it.

    Blocks only while the lock is taken and no living holder is known: for the moment of somebody's ``holder_of``, or of a
    process on its way in or out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + limits.LOCK_UNKNOWN_HOLDER_TIMEOUT_S
    while not _try_lock(fd):
        holder = _read_holder(fd)
        if holder.is_alive() or time.monotonic() > deadline:
            os.close(fd)
            return holder
        time.sleep(limits.LOCK_RETRY_S)
    own = Holder(os.getpid(), _started_ticks(os.getpid()), supervised)
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(asdict(own)).encode(), 0)
    return FileLock(path, fd)


def holder_of(path: Path) -> Holder | None:
    """Say who holds a lock, without taking it for longer than the question."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _try_lock(fd, fcntl.LOCK_SH) else _read_holder(fd)
    finally:
        os.close(fd)


def _try_lock(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(fd: int) -> Holder:
    """Read who took the lock; a file that is just being written names nobody (process 0)."""
    try:
        return Holder(**json.loads(os.pread(fd, 200, 0)))
    except (ValueError, TypeError):
        return Holder(0, 0)


def _started_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; -1 if there is none or it is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
