"""What proto/ says above messages and fields, and what fields of one name mean everywhere: the descriptions of OpenAPI documents."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import orjson

FILE: Final = "comments.json"
CONDITION: Final = "Condition"
OF_CONDITIONS: Final = {
    "type": "What it is about; there is one of each type.",
    "status": "True, False or Unknown.",
    "reason": "A word for why, for programs.",
    "message": "Why, for people.",
    "lastTransitionTime": "When the status changed last.",
    "lastProbeTime": "When it was looked at last.",
    "lastHeartbeatTime": "When it was told last.",
    "lastUpdateTime": "When it was told last.",
    "observedGeneration": "The generation of the object that it speaks of.",
}
"""What the fields of every condition are."""

OF_ALL: Final = {
    "observedGeneration": "The generation of the object that the status speaks of.",
    "readOnly": "Whether it can be read only.",
    "fsType": "The file system that it is mounted as, such as `ext4`.",
    "secretRef": "The Secret with what is needed to reach it.",
    "optional": "Whether it may be missing.",
    "defaultMode": "The permissions of its files, where none are said for one.",
    "protocol": "TCP, UDP or SCTP.",
    "appProtocol": "What is spoken there, such as `https`.",
}
"""What fields of these names are in all messages."""


@cache
def load() -> dict[str, str]:
    """Sentences by full name of a message (`kcore.api.core.v1.Pod`) or field (`kcore.api.core.v1.PodSpec.nodeName`)."""
    found: dict[str, str] = orjson.loads(resources.files("kcore.api").joinpath(FILE).read_bytes())
    return found


def shared(message: str, field: str) -> str:
    """What fields of one name have in common, '' where there is nothing to say. A comment of the field's own goes before."""
    of_its_kind = OF_CONDITIONS if message.endswith(CONDITION) else OF_ALL
    return of_its_kind.get(field, "")
