"""Progress bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol, Self


class Counts(Protocol):
    """How far pods came: mappings by name."""

    seen: dict[str, float]
    bound: dict[str, float]
    running: dict[str, float]


class PodProgress:
    """Three bars: created, bound, running."""

    def __init__(self, count: int) -> None:
        self.progress: Any = None
        self.bars: list[Any] = []
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self.progress = Progress(
                TextColumn("{task.description:8}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
            )
            self.bars = [self.progress.add_task(name, total=count) for name in ("created", "bound", "running")]

    def __enter__(self) -> Self:
        if self.progress is not None:
            self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.progress is not None:
            self.progress.stop()

    def show(self, times: Counts) -> None:
        """Move the bars."""
        if self.progress is not None:
            for bar, done in zip(self.bars, (times.seen, times.bound, times.running), strict=True):
                self.progress.update(bar, completed=len(done))


class Steps:
    """One bar over steps that take long, with the name of the present one."""

    def __init__(self, names: list[str]) -> None:
        self.progress: Any = None
        self.bar: Any = None
        self.begun = 0
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self.progress = Progress(
                TextColumn("{task.description:44}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
            )
            self.bar = self.progress.add_task("", total=len(names))

    def __enter__(self) -> Self:
        if self.progress is not None:
            self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.progress is not None:
            if error is None:
                self.progress.update(self.bar, completed=self.begun)
            self.progress.stop()

    def begin(self, name: str) -> None:
        """Go on to the next step."""
        if self.progress is not None:
            self.progress.update(self.bar, completed=self.begun, description=name)
        self.begun += 1
