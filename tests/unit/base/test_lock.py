"""Locks: one holder, named truly, gone with its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kcore.base import limits
from kcore.base.lock import FileLock, Holder, holder_of, take


def test_a_lock_has_one_holder_who_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run" / "a.lock"
    held = take(path, supervised=True)
    assert isinstance(held, FileLock)
    other = take(path)
    assert isinstance(other, Holder)
    assert (other.pid, other.supervised, other.is_alive()) == (os.getpid(), True, True)
    assert holder_of(path) == other
    held.release()
    held.release()
    assert holder_of(path) is None
    again = take(path)
    assert isinstance(again, FileLock)
    again.release()


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path: Path) -> None:
    assert holder_of(tmp_path / "a.lock") is None


def test_a_process_with_the_same_number_is_not_the_holder() -> None:
    imposter = Holder(os.getpid(), 1)
    assert not imposter.is_alive()
    assert imposter.wait(0)
    assert not imposter.send(signal.SIGTERM)


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    program = f"import pathlib, kcore.base.lock as lock; held = lock.take(pathlib.Path({str(path)!r})); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        holder = holder_of(path)
        assert holder is not None
        assert holder.pid == child.pid
        assert not holder.wait(0)
        child.kill()
    assert holder.wait(5)
    assert not holder.is_alive()
    held = take(path)
    assert isinstance(held, FileLock)
    held.release()


def test_a_lock_whose_file_names_nobody_is_given_up_on_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCK_UNKNOWN_HOLDER_TIMEOUT_S", 0.02)
    path = tmp_path / "a.lock"
    held = take(path)
    assert isinstance(held, FileLock)
    path.write_text("")
    assert take(path) == Holder(0, 0)
    held.release()
