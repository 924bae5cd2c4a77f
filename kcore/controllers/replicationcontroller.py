"""ReplicationController: a ReplicaSet of the first days, with a map of labels as selector; ``replicaset`` does both.

Source: Kubernetes `pkg/controller/replication`.
"""

from __future__ import annotations

from typing import Final

from kcore.client import kinds
from kcore.controllers import replicaset
from kcore.controllers.controller import Context, Controller

REPLICATIONCONTROLLERS: Final = kinds.resource("", "v1", "replicationcontrollers")


def make(context: Context) -> Controller:
    """Make the controller."""
    return replicaset.controller_of(context, "replicationcontroller", REPLICATIONCONTROLLERS)
