"""Endpoints: subsets with reachable addresses and named ports."""
from typing import Any

from kcore.machinery.kinds.core import endpoints


def check(subset: dict[str, Any]) -> list[str]:
    return [error.message() for error in endpoints.RULES.validate({"subsets": [subset]})]


def test_a_subset_needs_addresses() -> None:
    assert check({}) == ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]
    assert check({"notReadyAddresses": [{"ip": "10.0.0.1", "nodeName": "n"}], "ports": [{"port": 80, "protocol": "TCP"}]}) == []


def test_an_address_must_be_reachable_from_elsewhere() -> None:
    found = check({"addresses": [{"ip": ip} for ip in ("127.0.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.5")]})
    assert [message.rpartition(": ")[2].partition(" (")[0] for message in found] == [
        "may not be in the loopback range", "may not be in the link-local range", "may not be unspecified",
        "may not be in the link-local multicast range",
    ]


def test_several_ports_need_names() -> None:
    ports = [{"port": 80, "protocol": "TCP"}, {"name": "b", "port": 0, "protocol": "X"}]
    assert check({"addresses": [{"ip": "10.0.0.1"}], "ports": ports}) == [
        "subsets[0].ports[0].name: Required value",
        "subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        'subsets[0].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ]


def test_subsets_that_stay_the_same_are_not_judged_again() -> None:
    bad = {"subsets": [{}]}
    assert endpoints.RULES.validate_update(bad, bad) == []
    assert len(endpoints.RULES.validate_update(bad, {})) == 1
    assert endpoints.RULES.deprecation.startswith("v1 Endpoints is deprecated")
