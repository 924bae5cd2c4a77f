"""How a container ends, where its command says so plainly. Pure.

A hollow container starts nothing, so what a program would do is not known. Of a few everybody knows it: `true`, `false`, `exit 3`,
`sleep 60`, `echo` and what a shell makes of these one after the other. A command with anything else in it says nothing plainly, as does an
image whose own command is not told.

    sh -c "echo working; sleep 5 && exit 3"     after 5 s with 3
    sleep infinity                              never
    python main.py                              not known

Source: POSIX shell command language (2.9.3, lists), GNU sleep for the suffixes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple

from kcore.base import limits

SHELLS: Final = ("sh", "bash", "ash", "dash")
SECONDS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION: Final = re.compile(r"([0-9]*\.?[0-9]+)([smhd]?)")
DOUBTFUL: Final = re.compile(r"[`|<>(){}*?\[\]\\~#]|\$\(|(?<!&)&(?!&)")
"""What makes more of a line than a list of simple commands: pipes, files, substitutions, patterns, work in the background."""
OPTIONS: Final = re.compile(r"-[eux]*c[eux]*")


class Ending(NamedTuple):
    """After how many seconds a container ends, and with which code. Below 0 seconds: never."""

    after_s: float
    code: int


NEVER: Final = Ending(-1.0, 0)


class _Step(NamedTuple):
    """What one simple command does; `ends` says whether nothing comes after it."""

    seconds: float
    code: int
    ends: bool = False


def ending(command: Sequence[str], args: Sequence[str]) -> Ending | None:
    """How a container with this command ends; None if that is not plain."""
    if not command:
        return None
    words = [*command, *args]
    if _name(words[0]) in SHELLS:
        if len(words) < 3 or not OPTIONS.fullmatch(words[1]) or len(words[2]) > limits.HOLLOW_SCRIPT_CHARS_MAX:
            return None
        return _of_script(words[2], "e" in words[1])
    step = _step(words)
    return None if step is None or step.ends else Ending(step.seconds, step.code)


def _of_script(script: str, stops_at_failure: bool) -> Ending | None:
    """How a shell ends that carries a script out."""
    if DOUBTFUL.search(script):
        return None
    seconds, code, goes_on = 0.0, 0, True
    for line in re.split(r"[;\n]", script):
        commands = line.split("&&")
        for number, text in enumerate(commands):
            step = _read(text)
            if step is None:
                if text.strip() or len(commands) > 1:
                    return None
                continue
            if not goes_on:
                continue
            if step.seconds < 0:
                return NEVER
            seconds, code = seconds + step.seconds, step.code
            if step.ends or (stops_at_failure and code and number + 1 == len(commands)):
                return Ending(seconds, code)
            goes_on = not code
        goes_on = True
    return Ending(seconds, code)


def _read(text: str) -> _Step | None:
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    return _step(words) if words else None


def _step(words: Sequence[str]) -> _Step | None:
    """What a simple command does; None if that is not known."""
    name, rest = _name(words[0]), words[1:]
    if name in ("true", ":", "echo"):
        return _Step(0.0, 0)
    if name == "false":
        return _Step(0.0, 1)
    if name == "exit" and len(rest) == 1 and rest[0].isascii() and rest[0].isdigit():
        return _Step(0.0, int(rest[0][:9]) & 0xFF, True)
    if name == "sleep" and rest:
        lasting = [_seconds(word) for word in rest]
        if None not in lasting:
            seconds = sum(each for each in lasting if each is not None)
            return _Step(seconds if seconds <= limits.HOLLOW_EXIT_AFTER_S_MAX else -1.0, 0)
    return None


def _seconds(word: str) -> float | None:
    """How long a word of `sleep` takes, None if that is not plain."""
    if word in ("inf", "infinity"):
        return float("inf")
    found = DURATION.fullmatch(word)
    return float(found[1]) * SECONDS[found[2]] if found else None


def _name(path: str) -> str:
    """The name of a program."""
    return path.rpartition("/")[2]
