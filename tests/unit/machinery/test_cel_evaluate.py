"""Expressions that select devices, evaluated."""

import pytest

from kcore.machinery.cel.evaluate import EvaluationError, as_quantity, as_semver, device_matches

DEVICE = {
    "driver": "gpu.example.com",
    "allowMultipleAllocations": False,
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
        (f'device.attributes[{OWN}].?nothing.orValue("x") == "x"', True),
        ('"other.example.com" in device.attributes', True),
        (f"cel.bind(own, device.attributes[{OWN}], own.ok && own.index == 3)", True),
        ("device.allowMultipleAllocations", False),
        ('isQuantity("no") || isSemver("1.2")', False),
    ],
)
def test_an_expression_selects_a_device_or_not(expression: str, matches: bool) -> None:
    assert device_matches(expression, DEVICE) is matches


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (f"device.attributes[{OWN}].nothing == 1", "CEL runtime error: no such key: nothing. consider using CEL optional chaining"),
        (f'device.attributes[{OWN}].index == 3 && device.attributes[{OWN}].model > 1', "CEL runtime error: no such overload"),
        (f"1 / (device.attributes[{OWN}].index - 3) == 1", "CEL runtime error: division by zero"),
        (
            f"device.attributes[{OWN}].index",
            "CEL runtime error: CEL result of type int could not be converted to bool: unsupported native conversion from int to 'bool'",
        ),
        ('quantity("no") == quantity("no")', "CEL runtime error: "),
        ("syntax(", "CEL compile error: compilation failed: "),
    ],
)
def test_an_expression_that_fails_for_a_device_says_why(expression: str, problem: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        device_matches(expression, DEVICE)
    assert str(raised.value).startswith(problem)
