"""What proto/ says above messages and fields: the descriptions of OpenAPI documents."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import orjson

FILE: Final = "comments.json"


@cache
def load() -> dict[str, str]:
    """Sentences by full name of a message (`kcore.api.core.v1.Pod`) or field (`kcore.api.core.v1.PodSpec.nodeName`)."""
    found: dict[str, str] = orjson.loads(resources.files("kcore.api").joinpath(FILE).read_bytes())
    return found
