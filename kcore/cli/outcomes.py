"""What became of each object that a command was asked to change: a line each, or one JSON document."""

from __future__ import annotations

import json
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kcore.machinery.scheme import KindSpec


class Outcomes:
    """Tells successes on standard output and refusals on standard error, as they come; with `as_json` a document of both at the end.

    The document is ``{<done>: [...], "refused": [...]}``, printed also when an error ends the command early.
    """

    def __init__(self, done: str, as_json: bool) -> None:
        self.as_json = as_json
        self._done: list[dict[str, str]] = []
        self._refused: list[dict[str, str]] = []
        self._document = {done: self._done, "refused": self._refused}

    def __enter__(self) -> Outcomes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.as_json:
            click.echo(json.dumps(self._document))

    def done(self, sentence: str, spec: KindSpec, namespace: str, name: str, outcome: str) -> None:
        """An object was changed as asked; `namespace` is "" for one that has none."""
        place = {"namespace": namespace} if namespace else {}
        self._done.append({"apiVersion": spec.api_version, "kind": spec.kind, **place, "name": name, "outcome": outcome})
        if not self.as_json:
            click.echo(sentence)

    def refused(self, message: str, **facts: str) -> None:
        """An object was not changed."""
        self._refused.append({**facts, "message": message})
        click.echo(": ".join(("kcore", *facts.values(), message)), err=True)

    @property
    def status(self) -> int:
        """The exit status: 1 if anything was refused."""
        return 1 if self._refused else 0
