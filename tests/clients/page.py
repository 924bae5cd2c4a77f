"""Reads the page of proto/: its sections, each with the files that it shows, the commands in their order, and what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.lint.sources import ROOT

PAGE = ROOT / "proto" / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"(?://|#|<!--) (\S+\.\w+)(?: -->)?\n")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MARK = "-- of the next block: "


@dataclass(slots=True)
class Section:
    """What the text below a heading says. `printed[i]` is what the i-th block of commands prints, where the page says so."""

    files: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    printed: dict[int, str] = field(default_factory=dict)

    @property
    def script(self) -> str:
        """All commands as one script, which says where each block begins."""
        return "".join(f"echo '{MARK}{index}'\n{block}" for index, block in enumerate(self.commands))

    def differences(self, output: str) -> list[str]:
        """Where the output of the script is not what the page says."""
        parts = dict(part.split("\n", 1) for part in COLOUR.sub("", output).split(MARK)[1:])
        return [
            f"block {index} prints:\n{parts.get(str(index))}the page says:\n{wanted}"
            for index, wanted in self.printed.items()
            if parts.get(str(index)) != wanted
        ]


def sections(page: Path = PAGE) -> Iterator[tuple[str, Section]]:
    """The sections that have something to run, by name."""
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        name, section = part.partition("\n")[0], Section()
        for language, text in BLOCK.findall(part):
            if language == "sh":
                section.commands.append(text)
            elif language == "text":
                section.printed[len(section.commands) - 1] = text
            elif named := FILE_NAME.match(text):
                section.files[named[1]] = text
            else:
                raise ValueError(f"a block in {language} below {name} does not name its file")
        yield name, section
