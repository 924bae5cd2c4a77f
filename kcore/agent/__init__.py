"""The node side: agents that run pods. Hollow nodes, thousands to a process, are the first: nothing runs, all is reported.

Role
    Registers nodes, renews their heartbeats, runs and ends the pods that the scheduler assigned to them, and reports all of it.

Guarantees
    - What a pod does next depends on its spec, its state and the time alone (`podstate`); the same seed gives the same run.
    - A status is written over the object that it was decided on, or not at all (resourceVersion); labels that others write are
      never lost.
    - A pod is deleted only after its final status is stored, and only the very pod (uid).
    - A pod keeps its addresses while it runs, over restarts of the node's process; they are released when it is final or gone.
    - A restarted process takes over the nodes, pods, addresses and timers of the earlier one from their objects.

Thread rule
    Everything belongs to one event loop. `podstate`, `podstatus`, `podfleet`, `nodestate`, `nodefleet`, `heartbeat` and
    `outbox` decide and never wait; `hollow` waits and never decides.

Never
    `kcore.network` (its addresses come in as an interface), the store, a thread for each node.
"""

from kcore.agent.hollow import HollowNodes
from kcore.agent.settings import HollowSettings, NodeSettings, NodeShape

__all__ = ["HollowNodes", "HollowSettings", "NodeSettings", "NodeShape"]
