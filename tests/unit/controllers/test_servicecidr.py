"""ServiceCIDRs: ready, and gone only when nobody needs them."""

from __future__ import annotations

from typing import Any

from kcore.api.networking.v1.ip_address_pb2 import IPAddress
from kcore.api.networking.v1.service_cidr_pb2 import ServiceCIDR
from kcore.controllers.servicecidr import ADDRESSES, CIDRS, FINALIZER, plan
from tests.unit.controllers.cluster import Cluster, run

NOW = 1_000.0


def cidr(name: str, *ranges: str, deleted_at: int = 0, finalizers: tuple[str, ...] = (FINALIZER,)) -> Any:
    found = ServiceCIDR()
    found.metadata.name = name
    found.metadata.finalizers.extend(finalizers)
    found.spec.cidrs.extend(ranges)
    if deleted_at:
        found.metadata.deletionTimestamp.seconds = deleted_at
    return found


def ready(planned: Any) -> tuple[str, str]:
    [action] = planned.actions
    [condition] = action.object.status.conditions
    return condition.status, condition.reason


def test_a_range_gets_its_finalizer_and_is_ready() -> None:
    [action] = plan(cidr("a", "10.0.0.0/24", finalizers=("x",)), [], [], NOW).actions
    assert action.body["metadata"]["finalizers"] == ["x", FINALIZER]
    planned = plan(cidr("a", "10.0.0.0/24"), [], [], NOW)
    assert ready(planned) == ("True", "")
    assert plan(planned.actions[0].object, [], [], NOW).actions == []


def test_a_range_stays_while_an_address_is_its_alone() -> None:
    going = cidr("a", "10.0.0.0/24", deleted_at=900)
    assert ready(plan(going, [], ["10.0.0.7"], NOW)) == ("False", "Terminating")
    for others, taken in (([], ["10.0.1.7"]), ([cidr("b", "10.0.0.0/16")], ["10.0.0.7"])):
        [action] = plan(going, others, taken, NOW).actions
        assert action.body["metadata"]["finalizers"] is None
    assert ready(plan(going, [cidr("b", "10.0.0.0/16", deleted_at=900)], ["10.0.0.7"], NOW)) == ("False", "Terminating")


def test_a_range_that_is_not_needed_waits_a_little_for_addresses_under_way() -> None:
    assert plan(cidr("a", "10.0.0.0/24", deleted_at=995), [], [], NOW) == ([], 5.0)


def test_a_range_goes_when_its_last_address_is_free() -> None:
    async def story(here: Cluster) -> None:
        here.server.create(CIDRS, cidr("a", "10.0.0.0/24", finalizers=()))
        address = IPAddress()
        address.metadata.name = "10.0.0.7"
        here.server.create(ADDRESSES, address)
        await here.start()
        await here.clock.sleep(5)
        assert list(here.all(CIDRS)["a"].metadata.finalizers) == [FINALIZER]
        assert [each.status for each in here.all(CIDRS)["a"].status.conditions] == ["True"]
        here.delete(CIDRS, "a")
        await here.clock.sleep(30)
        assert [each.status for each in here.all(CIDRS)["a"].status.conditions] == ["False"]
        here.delete(ADDRESSES, "10.0.0.7")
        await here.clock.sleep(30)
        assert "a" not in here.all(CIDRS)

    run(story, "service-cidrs")
