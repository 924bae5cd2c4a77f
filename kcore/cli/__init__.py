"""The command line: thin, one module a command; what it prints is for people, or for programs with `--json`.

Guarantees: exit status 0 only when what was asked is done; an error is one sentence on standard error; a command imports what it needs
and nothing else, since `kcore up`
is measured by the time it takes to return.
"""

from kcore.cli.main import main

__all__ = ["main"]
