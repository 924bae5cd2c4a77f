"""A pytest plugin: a control plane for each test that asks for one, in clean state, without a start for each test.

    def test_a_map(kcore): ...

    @pytest.mark.kcore(nodes=3, virtual_time=True)               the marker takes the fields of `kcore.testing.settings.Settings`
    def test_a_day(kcore): ...

    @pytest.mark.kcore(port=0)                                   `kcore.kubeconfig` is for kubectl and clients of any language
    def test_with_kubectl(kcore): ...

`kcore` is a `SyncCluster`. Tests with equal settings share one, which is started by the first of them and reset after each: what a test
makes, breaks and stops is whole again for the next. `kcore_session` is the one with the settings of the ini file, for fixtures of the
session; what they make in it is there for every test with these settings.

    [pytest]
    kcore_nodes = 3
    kcore_parts = scheduler controllers
    kcore_virtual_time = true

A test that is a coroutine has a loop of its own; it uses `async with Cluster(...)`, which starts in some 30 ms.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kcore.testing.sync_cluster import SyncCluster


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini options."""
    parser.addini("kcore_nodes", "number of hollow nodes of the kcore fixture", default="0")
    parser.addini("kcore_parts", "parts of the kcore fixture beside the API server", type="args", default=None)
    parser.addini("kcore_virtual_time", "whether the kcore fixture is on virtual time", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    fields = "nodes, parts, port, virtual_time, hollow, seed"
    config.addinivalue_line("markers", f"kcore(**settings): what the kcore fixture consists of: {fields}")


def settings_of(config: pytest.Config) -> dict[str, Any]:
    """The settings of the ini file."""
    found: dict[str, Any] = {"nodes": int(config.getini("kcore_nodes")), "virtual_time": config.getini("kcore_virtual_time")}
    if config.getini("kcore_parts") is not None:
        found["parts"] = tuple(config.getini("kcore_parts"))
    return found


class Clusters:
    """The clusters of a session, by their settings; those that were not used for longest make room."""

    def __init__(self) -> None:
        self.running: OrderedDict[Any, SyncCluster] = OrderedDict()

    def get(self, settings: dict[str, Any]) -> SyncCluster:
        """The cluster with these settings, started if need be."""
        from kcore.base import limits
        from kcore.testing.settings import Settings
        from kcore.testing.sync_cluster import SyncCluster

        key = Settings(**settings)
        found = self.running.pop(key, None) or SyncCluster(**settings).start()
        self.running[key] = found
        while len(self.running) > limits.TESTING_CLUSTERS_KEPT_MAX:
            self.running.popitem(last=False)[1].close()
        return found

    def discard(self, cluster: SyncCluster) -> None:
        """Give up a cluster that cannot be used again."""
        self.running = OrderedDict((key, kept) for key, kept in self.running.items() if kept is not cluster)
        cluster.close()

    def close(self) -> None:
        """End all."""
        while self.running:
            self.running.popitem()[1].close()


@pytest.fixture(scope="session")
def _kcore_clusters() -> Iterator[Clusters]:
    clusters = Clusters()
    yield clusters
    clusters.close()


@pytest.fixture(scope="session")
def kcore_session(_kcore_clusters: Clusters, pytestconfig: pytest.Config) -> SyncCluster:
    """The control plane with the settings of the ini file, for fixtures of a session; nothing made here is reset."""
    return _kcore_clusters.get(settings_of(pytestconfig))


@pytest.fixture
def kcore(request: pytest.FixtureRequest, _kcore_clusters: Clusters) -> Iterator[SyncCluster]:
    """A control plane in clean state."""
    settings = settings_of(request.config)
    for marker in reversed(list(request.node.iter_markers("kcore"))):  # the closest comes last, and wins
        settings |= marker.kwargs
    cluster = _kcore_clusters.get(settings)
    start = cluster.mark()
    yield cluster
    with ExitStack() as undo:
        undo.callback(_kcore_clusters.discard, cluster)
        cluster.check()
        cluster.reset(start)
        cluster.release(start)
        undo.pop_all()
