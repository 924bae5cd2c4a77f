"""Which of several equal processes leads: `decide` (pure) and `leader`, which carries it out on a coordination/v1 Lease."""

from kcore.client.election.decide import ElectionConfig
from kcore.client.election.leader import LeaderElector

__all__ = ["ElectionConfig", "LeaderElector"]
