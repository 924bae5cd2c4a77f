"""ClusterIPs and node ports: given out, refused, freed, and known again after a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcore.apiserver.admission.service_addresses import Full, Range
from kcore.base.entropy import SeededEntropy
from kcore.machinery.status import StatusError
from tests.unit.apiserver.api import Api, reason_of, service


async def refused_field(api: Api, name: str, **spec: object) -> str:
    with pytest.raises(StatusError) as failed:
        await api.create("services", service(name, **spec))
    assert reason_of(failed.value) == (422, "Invalid")
    field: str = failed.value.status["details"]["causes"][0]["field"]
    return field


async def test_every_service_gets_an_address_of_its_own(api: Api) -> None:
    found = {(await api.create("services", service(f"s{i}")))["spec"]["clusterIP"] for i in range(50)}
    assert len(found) == 50
    assert all(address.startswith("10.96.") for address in found)
    assert api.get("services", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"


async def test_a_chosen_address_is_taken_only_once(api: Api) -> None:
    await api.create("services", service("a", clusterIP="10.96.5.5"))
    assert await refused_field(api, "b", clusterIP="10.96.5.5") == "spec.clusterIPs"
    assert await refused_field(api, "b", clusterIP="10.97.0.1") == "spec.clusterIPs"
    assert await refused_field(api, "b", clusterIP="no address") == "spec.clusterIPs[0]"


async def test_a_deleted_service_frees_what_it_held(api: Api) -> None:
    wanted = {"clusterIP": "10.96.5.5", "type": "NodePort", "ports": [{"port": 80, "nodePort": 30100}]}
    await api.create("services", service("a", **wanted))
    await api.delete("services", "a")
    await api.create("services", service("b", **wanted))


async def test_a_refused_service_holds_nothing(api: Api) -> None:
    taken = set(api.server.registry.chain.addresses.ports.taken)
    await refused_field(api, "Bad_Name", type="NodePort")
    assert api.server.registry.chain.addresses.ports.taken == taken


async def test_a_dry_run_holds_nothing(api: Api) -> None:
    for _ in range(2):
        await api.create("services", service("s", clusterIP="10.96.7.7"), dryRun=["All"])
    await api.create("services", service("s", clusterIP="10.96.7.7"))


async def test_node_ports_are_given_out_and_checked(api: Api) -> None:
    made = await api.create("services", service("a", type="NodePort"))
    port = made["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    assert await refused_field(api, "b", type="NodePort", ports=[{"port": 80, "nodePort": port}]) == "spec.ports[0].nodePort"
    assert await refused_field(api, "b", type="NodePort", ports=[{"port": 80, "nodePort": 80}]) == "spec.ports[0].nodePort"


async def test_one_node_port_serves_both_protocols_of_a_port(api: Api) -> None:
    ports = [{"name": "u", "port": 53, "protocol": "UDP"}, {"name": "t", "port": 53, "protocol": "TCP"}]
    made = (await api.create("services", service("dns", type="NodePort", ports=ports)))["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]


async def test_a_service_that_needs_no_port_any_more_frees_it(api: Api) -> None:
    made = await api.create("services", service("a", type="NodePort"))
    port = made["spec"]["ports"][0]["nodePort"]
    changed = await api.patch("services", "a", {"spec": {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}})
    assert "nodePort" not in changed["spec"]["ports"][0]
    await api.create("services", service("b", type="NodePort", ports=[{"port": 80, "nodePort": port}]))


async def test_an_update_keeps_address_and_ports(api: Api) -> None:
    made = await api.create("services", service("a", type="NodePort"))
    kept = await api.update("services", service("a", type="NodePort", selector={"x": "y"}))
    assert kept["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert kept["spec"]["ports"] == made["spec"]["ports"]
    with pytest.raises(StatusError) as failed:
        await api.patch("services", "a", {"spec": {"clusterIP": "10.96.9.9", "clusterIPs": ["10.96.9.9"]}})
    assert reason_of(failed.value) == (422, "Invalid")


async def test_headless_and_external_services_have_no_address(api: Api) -> None:
    assert (await api.create("services", service("h", clusterIP="None")))["spec"]["clusterIPs"] == ["None"]
    made = await api.create("services", {"metadata": {"name": "e"}, "spec": {"type": "ExternalName", "externalName": "example.com"}})
    assert "clusterIP" not in made["spec"]
    changed = await api.patch("services", "e", {"spec": {"type": "ClusterIP", "externalName": None, "ports": [{"port": 80}]}})
    assert changed["spec"]["clusterIP"].startswith("10.96.")


async def test_a_local_load_balancer_gets_a_health_check_port(api: Api) -> None:
    made = await api.create("services", service("l", type="LoadBalancer", externalTrafficPolicy="Local"))
    assert 30000 <= made["spec"]["healthCheckNodePort"] <= 32767
    assert made["spec"]["healthCheckNodePort"] != made["spec"]["ports"][0]["nodePort"]


async def test_a_started_server_knows_what_is_taken(tmp_path: Path) -> None:
    api = await Api(tmp_path / "store").start()
    await api.create("services", service("a", clusterIP="10.96.5.5", type="NodePort", ports=[{"port": 80, "nodePort": 30100}]))
    api.close()
    again = Api(tmp_path / "store", seed=2)
    await again.server.bootstrap()
    assert await refused_field(again, "b", clusterIP="10.96.5.5") == "spec.clusterIPs"
    assert await refused_field(again, "b", type="NodePort", ports=[{"port": 80, "nodePort": 30100}]) == "spec.ports[0].nodePort"
    again.close()


def test_a_range_gives_its_reserved_part_last_and_then_nothing() -> None:
    numbers = Range(100, 10, 4, SeededEntropy(3))
    given = []
    for _ in range(10):
        given.append(numbers.pick())
        numbers.taken.add(given[-1])
    assert sorted(given[:6]) == [104, 105, 106, 107, 108, 109]
    assert sorted(given) == list(range(100, 110))
    with pytest.raises(Full):
        numbers.pick()


async def test_each_address_has_an_object_in_the_commit_of_its_service(api: Api) -> None:
    made = await api.create("services", service("a", clusterIP="10.96.5.5"))
    found = api.get("ipaddresses", "10.96.5.5")
    assert found["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "a"}
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    assert int(found["metadata"]["resourceVersion"]) + 1 == int(made["metadata"]["resourceVersion"])
    await api.patch("services", "a", {"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": None, "clusterIPs": None}})
    assert [found["metadata"]["name"] for found in (await api.list("ipaddresses"))["items"]] == ["10.96.0.1"]


async def test_a_deleted_service_takes_its_address_object_along(api: Api) -> None:
    await api.create("services", service("a"))
    await api.delete("services", "a")
    assert [found["metadata"]["name"] for found in (await api.list("ipaddresses"))["items"]] == ["10.96.0.1"]


async def test_an_address_that_somebody_keeps_is_not_given_out(api: Api) -> None:
    owner = {"resource": "services", "namespace": "default", "name": "x"}
    await api.create("ipaddresses", {"metadata": {"name": "10.96.5.5"}, "spec": {"parentRef": owner}})
    assert await refused_field(api, "b", clusterIP="10.96.5.5") == "spec.clusterIPs"
    await api.delete("ipaddresses", "10.96.5.5")
    await api.create("services", service("b", clusterIP="10.96.5.5"))


async def test_a_further_range_gives_addresses_too(api: Api) -> None:
    assert api.get("servicecidrs", "kubernetes")["spec"] == {"cidrs": ["10.96.0.0/16"]}
    assert await refused_field(api, "a", clusterIP="192.168.9.9") == "spec.clusterIPs"
    await api.create("servicecidrs", {"metadata": {"name": "more"}, "spec": {"cidrs": ["192.168.9.0/28"]}})
    await api.create("services", service("a", clusterIP="192.168.9.9"))
    assert await refused_field(api, "b", clusterIP="192.168.9.9") == "spec.clusterIPs"
    first = api.server.addresses.ranges["IPv4"]
    first.size = first.reserved = 0
    assert (await api.create("services", service("b")))["spec"]["clusterIP"].startswith("192.168.9.")


async def test_a_start_mends_missing_address_objects(api: Api, tmp_path: Path) -> None:
    await api.create("services", service("a", clusterIP="10.96.5.5"))
    await api.delete("ipaddresses", "10.96.5.5")
    assert await refused_field(api, "b", clusterIP="10.96.5.5") == "spec.clusterIPs"
    await api.server.bootstrap()
    assert api.get("ipaddresses", "10.96.5.5")["spec"]["parentRef"]["name"] == "a"


async def test_the_api_server_is_behind_its_service(api: Api) -> None:
    await api.server.advertise("192.0.2.1", 6443)
    await api.server.advertise("192.0.2.2", 6444)
    subset = api.get("endpoints", "kubernetes")["subsets"]
    assert subset == [{"addresses": [{"ip": "192.0.2.2"}], "ports": [{"name": "https", "port": 6444, "protocol": "TCP"}]}]
    found = api.get("endpointslices", "kubernetes")
    assert (found["endpoints"], found["ports"][0]["port"]) == ([{"addresses": ["192.0.2.2"], "conditions": {"ready": True}}], 6444)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", None])
async def test_what_is_no_address_for_others_leads_nobody_to_the_api_server(api: Api, address: str | None) -> None:
    await api.server.advertise(address, 6443)
    with pytest.raises(StatusError):
        api.get("endpoints", "kubernetes")


async def test_an_address_stays_whether_or_not_the_other_one_is_free(api: Api) -> None:
    taken = (await api.create("services", service("other")))["spec"]["clusterIP"]
    made = await api.create("services", service("s", clusterIP="None", selector={"a": "b"}))
    for address in (taken, "10.96.200.1"):
        with pytest.raises(StatusError) as failed:
            await api.update("services", {**made, "spec": {**made["spec"], "clusterIP": address, "clusterIPs": [address]}})
        said = f'spec.clusterIPs[0]: Invalid value: ["{address}"]: may not change once set'
        assert failed.value.message == f'Service "s" is invalid: {said}'
