"""Expressions that select devices, evaluated."""

import pytest

from kcore.machinery.cel.evaluate import as_quantity, as_semver, device_matches

DEVICE = {
    "driver": "gpu.example.com",
    "attributes": {"gpu.example.com": {"model": "a100", "index": 3, "ok": True, "version": as_semver("1.10.2-rc.1")}},
    "capacity": {"gpu.example.com": {"memory": as_quantity("40Gi")}},
}
OWN = '"gpu.example.com"'


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        (f"device.driver == {OWN}", True),
        (f'device.attributes[{OWN}].model == "a100"', True),
        (f'device.attributes[{OWN}].model.lowerAscii().startsWith("b")', False),
        (f"device.attributes[{OWN}].index > 2 && device.attributes[{OWN}].ok", True),
        (f'device.capacity[{OWN}].memory.compareTo(quantity("40Gi")) >= 0', True),
        (f'device.capacity[{OWN}].memory.isGreaterThan(quantity("41G"))', True),
        (f'device.capacity[{OWN}].memory == quantity("40960Mi")', True),
        (f'device.capacity[{OWN}].memory.sub(quantity("39Gi")).asInteger() == 1073741824', True),
        (f'device.attributes[{OWN}].version.isGreaterThan(semver("1.9.0"))', True),
        (f'device.attributes[{OWN}].version.isLessThan(semver("1.10.2"))', True),
        (f'device.attributes[{OWN}].version.isLessThan(semver("1.10.2-rc.1.1"))', True),
        (f"has(device.attributes[{OWN}].nothing)", False),
        ('has(device.attributes["other.example.com"].model)', False),
        (f"device.attributes[{OWN}].nothing == 1", False),
        (f'device.attributes[{OWN}].?nothing.orValue("x") == "x"', True),
        ('"other.example.com" in device.attributes', True),
        ('quantity("no") == quantity("no")', False),
        ('isQuantity("no") || isSemver("1.2")', False),
        ("device.driver", False),
        ("syntax(", False),
    ],
)
def test_an_expression_selects_a_device_or_not(expression: str, matches: bool) -> None:
    assert device_matches(expression, DEVICE) is matches
