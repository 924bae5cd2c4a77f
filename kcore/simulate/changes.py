"""What is to be different in a cluster: the changes that can be asked for, and how they are written."""

from __future__ import annotations

from typing import NamedTuple

from kcore.machinery.labels import Selector
from kcore.simulate.templates import Template


class Add(NamedTuple):
    """So many pods of a template come."""

    title: str
    template: Template
    pods: int


class Drain(NamedTuple):
    """A node goes, with what only that node can hold; its other pods look for another one."""

    title: str
    node: str


class DrainSelected(NamedTuple):
    """All nodes go whose labels match."""

    title: str
    selector: Selector


class Grow(NamedTuple):
    """So many nodes come that are like one that is, or was, there: new, with no images, and with the daemons of that one."""

    title: str
    node: str
    nodes: int


Change = Add | Drain | DrainSelected | Grow


class ChangeError(ValueError):
    """A change that is not possible."""


def counted(text: str) -> tuple[str, int]:
    """Read NAME=N.

    Raises  ChangeError
    """
    name, _, count = text.rpartition("=")
    if not name or not count.isdecimal() or not int(count):
        raise ChangeError(f"{text!r} does not end in =N, N from 1 on")
    return name, int(count)
