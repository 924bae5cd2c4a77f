"""Sessions of a command line: a file of commands, each with what it prints below it and how it ends.

    $ kubectl get pod gone
    Error from server (NotFound): pods "gone" not found
    [1]

A command begins with "$ " and goes on in lines with "> "; "[1]" is its exit status, where that is not 0. A session is one run of bash in a
folder and a namespace of its own; what differs from run to run (ages, uids, addresses, random suffixes) is written in one way. Lines that
only one version of the program prints begin with it: "1.32| ". `KCORE_REWRITE=1` accepts what was printed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

SESSION_TIMEOUT_S = 90.0
MARK = "-- the output of command "
ENDED = re.compile(r"^\[(\d+)\]\n?\Z", re.MULTILINE)
ONLY = re.compile(r"(?:(?P<version>\d+\.\d+)\| )?(?P<text>.*\n)")
AGE_COLUMNS = ("AGE", "LAST SEEN", "DURATION", "Age")
AGE = re.compile(r"(?:<invalid>|(?:\d+[smhd]){1,2}(?: ago)?)")
RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
VARYING = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
    (r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "TIME"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000 UTC", "TIME"),
    (r"\b\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}\b", "TIME"),
    (r"^(Duration: +)\w+", r"\1AGE"),
    (r"^( *Resource Version: +)\d+", r"\1REVISION"),
    (r"^(  Machine ID: +)[0-9a-f]{32}", r"\1ID"),
    (r"(containerd://|@sha256:)[0-9a-f]{64}", r"\1DIGEST"),
    (r'(resourceVersion"?: ?)"\d+"', r'\1"REVISION"'),
    (r"(?<= deleted) from \S+ namespace$", ""),
    (r"^WARNING: version difference .*\n?", ""),
    (r"^[IW]\d{4} [\d:.]+ +\d+ reflector\.go:\d+\] .*context canceled.*\n?", ""),
    (r"https://127\.0\.0\.1:\d+", "https://SERVER"),
    (r"\b10\.128\.\d+\.\d+", "POD-IP"),
    (r"\b10\.96\.\d+\.\d+", "SERVICE-IP"),
    (rf"-{RANDOM}{{8,10}}\b", "-HASH"),
    (rf"-{RANDOM}{{5}}\b", "-RANDOM"),
    (r"(?<=\S) {2,}(?=\S)", "  "),
    (r" +(?=\t)", ""),
    (r" +$", ""),
)
"""What is one thing in every run and to every version, though it is written differently: columns are as wide as their contents, too. The
reflector of a command that ends its own watch says so, or not, as it happens to be reading just then or not."""


@dataclass(slots=True)
class Step:
    """A command, what it prints, and its exit status."""

    command: str
    output: str = ""
    status: int = 0

    def __str__(self) -> str:
        lines = self.command.split("\n")
        shown = "\n".join(["$ " + lines[0], *("> " + line for line in lines[1:])]) + "\n"
        return shown + self.output + (f"[{self.status}]\n" if self.status else "")


def read(path: Path) -> list[Step]:
    """The steps of a file."""
    steps: list[Step] = []
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
        elif line.startswith("> ") and not steps[-1].output:
            steps[-1].command += "\n" + line[2:]
        else:
            steps[-1].output += line + "\n"
    for step in steps:
        step.output = step.output.rstrip("\n") + "\n" if step.output.strip() else ""
        if ended := ENDED.search(step.output):
            step.status, step.output = int(ended[1]), step.output[: ended.start()]
    return steps


def write(path: Path, steps: list[Step]) -> None:
    """Write the file of steps."""
    path.write_text("\n".join(str(step) for step in steps))


def of_version(steps: list[Step], version: str) -> list[Step]:
    """The steps as one version of the program prints them."""
    return [Step(step.command, "".join(lines_of(step, version)), step.status) for step in steps]


def lines_of(step: Step, version: str) -> list[str]:
    """The lines that a version prints."""
    own = (ONLY.match(line) for line in step.output.splitlines(keepends=True))
    return [found["text"] for found in own if found is not None and found["version"] in (None, version)]


def accepted(old: Step, new: Step, version: str, other: str) -> Step:
    """A step with what one of two versions prints now; what the other prints stays."""
    before, now = lines_of(old, other), lines_of(new, version)
    output = ""
    for what, start, end, from_, to in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if what == "equal" or not before:
            output += "".join(now[from_:to])
        else:
            only = ((other, before[start:end]), (version, now[from_:to]))
            output += "".join(f"{which}| {line}" for which, lines in sorted(only) for line in lines)
    return Step(new.command, output, new.status)


def script(steps: list[Step]) -> str:
    """The steps as one script, which says where the output of each ends."""
    return "".join(f"{step.command}\necho $'\\n'\"{MARK}{index}: $?\"\n" for index, step in enumerate(steps))


def run(steps: list[Step], folder: Path, environment: dict[str, str]) -> list[Step]:
    """Run the commands; -> what they did. Fails when one of them does not end."""
    printed = typed(script(steps), folder, {**os.environ, **environment})
    found = []
    for index, step in enumerate(steps):
        output, _, rest = printed.partition(f"{MARK}{index}: ")
        status, _, printed = rest.partition("\n")
        assert status, f"the session ended in {step.command!r}: {output}"
        found.append(Step(step.command, normalised(output), int(status)))
    return found


def typed(commands: str, folder: Path, environment: dict[str, str]) -> str:
    """Let bash run commands, and end whatever they leave running; -> what was printed until then."""
    with (folder / "printed").open("w+") as printed:
        running = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", commands],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        with suppress(subprocess.TimeoutExpired):
            running.wait(SESSION_TIMEOUT_S)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        printed.seek(0)
        return printed.read()


def normalised(output: str) -> str:
    """What a command printed, without what differs from run to run."""
    text = "\n".join(without_ages(output.strip("\n").split("\n")))
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text + "\n" if text.strip() else ""


def without_ages(lines: list[str]) -> list[str]:
    """The lines, with AGE in the place of each age: those in columns of ages, as far as a table goes."""
    spans: list[tuple[int, int]] = []
    found = []
    for line in lines:
        if columns := age_spans(line):
            spans = columns
        elif not line.strip():
            spans = []
        for start, end in reversed(spans):
            line = line[:start] + AGE.sub("AGE", line[start:end]) + line[end:]
        found.append(line)
    return found


def age_spans(line: str) -> list[tuple[int, int]]:
    """Where the columns of ages begin and end, if a line is the header of a table that has any."""
    words = [(found.start(), found[0]) for found in re.finditer(r"\S+(?: \S+)*", line)]
    if len(words) < 2 or not any(word in AGE_COLUMNS for _, word in words):
        return []
    ends = [after for _, (after, _) in pairwise(words)] + [1 << 16]
    return [(start, end) for (start, word), end in zip(words, ends, strict=True) if word in AGE_COLUMNS]
