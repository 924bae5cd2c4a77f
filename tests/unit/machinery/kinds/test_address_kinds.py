"""IPAddress, ServiceCIDR, RuntimeClass."""

from typing import Any

import pytest

from kcore.machinery.kinds.networking import ipaddress, servicecidr
from kcore.machinery.kinds.node import runtimeclass


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


@pytest.mark.parametrize(("name", "said"), [
    ("10.0.0.1", ()), ("2001:db8::1", ()),
    ("a.b", ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)),
    ("2001:DB8::1", ('must be in canonical form ("2001:db8::1")',)),
])  # fmt: skip
def test_the_name_of_an_address_is_the_address(name: str, said: tuple[str, ...]) -> None:
    assert ipaddress.RULES.name_validator(name, False) == said


def test_an_address_belongs_to_one_object_for_ever() -> None:
    old = {"spec": {"parentRef": {"resource": "services", "namespace": "d", "name": "s"}}}
    assert ipaddress.RULES.validate(old) == []
    assert messages(ipaddress.RULES.validate_update({"spec": {"parentRef": {"resource": "a/b"}}}, old)) == [
        'spec.parentRef.resource: Invalid value: "a/b": may not contain \'/\'', "spec.parentRef.name: Required value",
        "spec.parentRef: Invalid value: null: field is immutable",
    ]
    assert messages(ipaddress.RULES.validate({})) == ["spec.parentRef: Required value"]


def ranges(*cidrs: str) -> dict[str, Any]:
    return {"spec": {"cidrs": list(cidrs)}}


@pytest.mark.parametrize(("cidrs", "said"), [
    (("10.0.0.0/24",), []), (("10.0.0.0/24", "2001:db8::/96"), []),
    ((), ["spec.cidrs: Required value: at least one CIDR required"]),
    (("10.0.0.0/24", "10.1.0.0/24"), [
        'spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, '
        "i.e 192.168.0.0/24 and 2001:db8::/64",
    ]),
    (("2001:DB8::/96",), ['spec.cidrs[0]: Invalid value: "2001:DB8::/96": must be in canonical form ("2001:db8::/96")']),
])  # fmt: skip
def test_there_is_a_range_for_each_family(cidrs: tuple[str, ...], said: list[str]) -> None:
    assert messages(servicecidr.RULES.validate(ranges(*cidrs))) == said


def test_a_range_stays_and_another_family_may_come() -> None:
    update = servicecidr.RULES.validate_update
    old = ranges("10.0.0.0/24")
    assert update(ranges("10.0.0.0/24", "2001:db8::/96"), old) == []
    assert messages(update(ranges("changed"), old)) == ['spec.cidrs[0]: Invalid value: "changed": field is immutable']
    assert messages(update({"spec": {}}, old)) == ["spec.cidrs: Invalid value: null: field is immutable"]


def test_a_runtime_class_has_a_handler_that_stays() -> None:
    rules = runtimeclass.RULES
    assert messages(rules.validate({})) == ["handler: Required value"]
    assert messages(rules.validate({"handler": "a" * 64})) == [f'handler: Invalid value: "{"a" * 64}": must be no more than 63 bytes']
    assert messages(rules.validate_update({"handler": "b"}, {"handler": "a"})) == ["handler: Invalid value: null: field is immutable"]
    twice = {"handler": "a", "scheduling": {"tolerations": [{"key": "k", "operator": "Exists"}] * 2, "nodeSelector": {"a b": "c"}}}
    assert [error.field for error in rules.validate(twice)] == ["scheduling.nodeSelector", "scheduling.tolerations[1]"]
