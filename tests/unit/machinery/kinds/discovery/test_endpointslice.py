"""EndpointSlice: one family, distinct ports, bounded lists."""
from typing import Any

from kcore.machinery.kinds.discovery import endpointslice


def check(**value: Any) -> list[str]:
    return [error.message() for error in endpointslice.RULES.validate(value)]


def test_a_plain_slice_is_fine() -> None:
    endpoint = {"addresses": ["10.0.0.1"], "hostname": "h", "nodeName": "n", "hints": {"forZones": [{"name": "z"}]}}
    assert check(addressType="IPv4", endpoints=[endpoint], ports=[{"name": "", "protocol": "TCP", "port": 80}]) == []
    assert check(addressType="FQDN", endpoints=[{"addresses": ["a.b"]}]) == []


def test_addresses_are_of_the_family_of_the_slice() -> None:
    assert check(addressType="IPv4", endpoints=[{"addresses": ["::2"]}]) == [
        'endpoints[0].addresses: Invalid value: "::2": must be an IPv4 address'
    ]
    assert check(addressType="X") == ['addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"']
    assert check(addressType="IPv4", endpoints=[{}]) == ["endpoints[0].addresses: Required value"]


def test_lists_are_bounded() -> None:
    assert check(addressType="IPv4", endpoints=[{}] * 1001) == ["endpoints: Too many: 1001: must have at most 1000 items"]
    hints = {"forZones": [{"name": str(index)} for index in range(9)]}
    assert check(addressType="IPv4", endpoints=[{"addresses": ["10.0.0.1"], "hints": hints}]) == [
        "endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"
    ]


def test_ports_are_distinct_and_the_type_stays() -> None:
    port = {"name": "a", "protocol": "TCP", "port": 80}
    assert check(addressType="IPv4", ports=[port, port]) == ['ports[1].name: Duplicate value: "a"']
    errors = endpointslice.RULES.validate_update({"addressType": "IPv6"}, {"addressType": "IPv4"})
    assert [error.message() for error in errors] == ["addressType: Invalid value: null: field is immutable"]
