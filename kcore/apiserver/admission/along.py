"""Other objects that are written in the commit of a write, right before it: quotas that it is charged to, addresses that it takes."""

from __future__ import annotations

from typing import Any, NamedTuple

from kcore.machinery.scheme import KindSpec


class Along(NamedTuple):
    """An object as it is to be then; None: it is to be gone."""

    spec: KindSpec
    namespace: str
    name: str
    obj: dict[str, Any] | None
