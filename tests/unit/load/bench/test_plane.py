"""The data directory of a row goes whatever ends the row."""

import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from kcore.load.bench import plane
from kcore.load.bench.plane import BenchError


def end_in(directories: list[Path], end: Callable[[], object]) -> None:
    """Let a row end in some way."""
    with plane.data_directory() as directory:
        assert directory.path.is_dir()
        directories.append(directory.path)
        end()


def fail() -> None:
    raise BenchError("it broke")


@pytest.mark.parametrize(
    ("end", "raised"), [(fail, BenchError), (lambda: signal.raise_signal(signal.SIGTERM), SystemExit), (lambda: None, None)]
)
def test_a_data_directory_goes_with_its_row_whatever_ends_it(end: Callable[[], object], raised: type[BaseException] | None) -> None:
    before, directories = signal.getsignal(signal.SIGTERM), list[Path]()
    with pytest.raises(raised) if raised else nullcontext():
        end_in(directories, end)
    assert len(directories) == 1 and not directories[0].exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(BenchError, match="it failed: so it is"):
        plane.program(sys.executable, "-c", "import sys; sys.exit('so it is')", name="it")
