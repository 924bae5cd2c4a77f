"""`kcore` run inside this process: the same code from the command line on, without the interpreter's start."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from kcore.cli import main
from tests.integration.plane import Done


def run(*arguments: str, stdin: str | bytes = "") -> Done:
    """Run a command; a text or bytes are its standard input."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.stdin
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    sys.stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
    finally:
        sys.stdin = before
    return Done(code, out.getvalue(), err.getvalue())


class Shell:
    """Commands about one control plane."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Done:
        return run(*arguments, "--data-dir", str(self.directory), stdin=stdin)

    def good(self, *arguments: str, stdin: str | bytes = "") -> Done:
        """Run a command that succeeds."""
        done = self(*arguments, stdin=stdin)
        assert done.code == 0, done
        return done

    def bad(self, *arguments: str, stdin: str | bytes = "") -> str:
        """Run a command that fails with one sentence and prints nothing; -> the sentence."""
        done = self(*arguments, stdin=stdin)
        assert done.code not in (0, 3) and done.out == "", done
        assert done.err.startswith("kcore: ") and done.err.count("\n") == 1 and "Traceback" not in done.err, done
        return done.err.removeprefix("kcore: ").removesuffix("\n")
