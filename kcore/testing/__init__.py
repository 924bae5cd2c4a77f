"""What ships for people who test against kcore: clusters, faults, fakes, a pytest plugin, and the entry that recorded decisions go through.

    Cluster            a control plane in the test's event loop, on real or virtual time
    SyncCluster        the same for tests that are no coroutines
    FaultyTransport    what can go wrong between a client and the API server
    pytest_plugin      the fixtures `kcore` and `kcore_session`
    fake_server        an API server in a few hundred lines of memory, for unit tests of a controller

Guarantees
- What a cluster does is what kcore does: there is no test mode of any part.
- A wait that was never fulfilled is a failure, with what was seen at last.
- A part that dies fails the test that it dies in.

The names are imported when they are first used: pytest loads the plugin into every run, and most need no control plane.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kcore.testing.cluster import Cluster
    from kcore.testing.faulty_transport import FaultyTransport
    from kcore.testing.part import PartFailed
    from kcore.testing.sync_cluster import SyncCluster
    from kcore.testing.wait import NoLonger, NotYet

__all__ = ["Cluster", "FaultyTransport", "NoLonger", "NotYet", "PartFailed", "SyncCluster"]

_HOMES = {
    "Cluster": "cluster",
    "FaultyTransport": "faulty_transport",
    "NoLonger": "wait",
    "NotYet": "wait",
    "PartFailed": "part",
    "SyncCluster": "sync_cluster",
}


def __getattr__(name: str) -> Any:
    """Import what a name stands for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    from kcore.base import garbage

    with garbage.held_back():
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
