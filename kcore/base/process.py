"""How one process of kcore starts another: by exec, with a channel, without a terminal and without anything inherited by accident.

``spawn`` is used by the supervisor for its parts and by ``kcore up --detach`` for the supervisor; the channel's messages are those
of ``kcore.base.service``.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kcore.base import limits

_LAST_LINE_BYTES = 4096


@dataclass(slots=True)
class Child:
    """A process that was started here, and what it left behind."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    output: Path
    output_start: int

    def why_ended(self) -> str:
        """Wait for the end and say why it came: the last line of its output, else its status."""
        status = self.process.wait()
        return self._last_line() or describe_status(status)

    def _last_line(self) -> str:
        with open(self.output, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self.output_start, end - _LAST_LINE_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return next((line.strip()[: limits.REASON_CHARS_MAX] for line in reversed(lines) if line.strip()), "")


def spawn(module: str, arguments: Sequence[str], output: Path, environment: Mapping[str, str]) -> Child:
    """Start ``python -m MODULE ARGUMENTS --ready-fd N``; its standard output and error are appended to a file."""
    ours, theirs = socket.socketpair()
    with theirs, open(output, "ab", opener=_private) as file:
        if file.tell() > limits.PART_OUTPUT_BYTES_MAX:
            file.truncate(0)
        process = subprocess.Popen(
            command(module, [*arguments, "--ready-fd", str(theirs.fileno())]),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            env=_environment(environment),
        )
        return Child(process, ours, output, file.tell())


def command(module: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs a module with this interpreter, whatever modules the working directory holds."""
    return [sys.executable, "-P", "-m", module, *arguments]


def describe_status(status: int) -> str:
    """Say in words how a process ended, from what ``Popen.wait`` returns."""
    if status >= 0:
        return f"it ended with exit status {status}"
    try:
        return f"it was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was killed by signal {-status}"


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with additions; a checkout that nobody installed is found by its parts too."""
    environment = {**os.environ, **more}
    folder = Path(__file__).resolve().parents[2]
    if (folder / "pyproject.toml").is_file():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), environment.get("PYTHONPATH", "")]))
    return environment


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
