"""A Deployment's controller whose lister does not show yet what it has written itself."""

from typing import Any

from kcore.api.meta.v1 import meta_pb2
from kcore.base import virtual_loop
from kcore.base.clock import VirtualClock
from kcore.testing.fake_server import Selection
from tests.property.controllers.world import DEPLOYMENTS, REPLICASETS, copy, deployment
from tests.unit.controllers.cluster import Cluster


def test_no_step_is_decided_on_sizes_before_the_last_one() -> None:
    clock = VirtualClock()

    async def test() -> None:
        cluster = Cluster(clock, ("deployment",))
        server = cluster.server

        def sizes() -> list[int]:
            return [found.spec.replicas for found in server.list(REPLICASETS, Selection.of(meta_pb2.ListRequest()))]

        async def change(image: str) -> None:
            found: Any = copy(server.get(DEPLOYMENTS, "default/web"))
            found.spec.template.spec.containers[0].image = image
            server.commit(lambda: server.update(DEPLOYMENTS, found))
            await clock.sleep(2.0)

        await cluster.start()
        server.commit(lambda: server.create(DEPLOYMENTS, deployment("web", 4), "default"))
        await clock.sleep(2.0)
        cluster.transport.hold_watches(resource="replicasets")
        await change("web:2")
        await change("web:3")
        assert sum(sizes()) == 5
        cluster.transport.release_watches()
        await clock.sleep(2.0)
        assert len(sizes()) == 3
        assert sum(sizes()) <= 5
        await cluster.close()

    virtual_loop.run(test(), clock)
