"""Single values: numbers, percentages, amounts."""
import pytest

from kcore.machinery.field_error import FieldError
from kcore.machinery.kinds import values


@pytest.mark.parametrize(
    ("resource", "amount", "sentence"),
    [
        ("cpu", "1500m", None), ("pods", "1500m", "must be an integer"), ("pods", "-1", "must be greater than or equal to 0"),
        ("example.com/gpu", "0.5", "must be an integer"), ("memory", "1Gi", None), ("kubernetes.io/x", "500m", None),
    ],
)
def test_counted_resources_come_in_whole_numbers(resource: str, amount: str, sentence: str | None) -> None:
    errors: list[FieldError] = []
    values.validate_amount(resource, amount, "p", errors)
    assert [error.body.rpartition(": ")[2] for error in errors] == ([sentence] if sentence else [])


def test_a_number_or_a_percentage() -> None:
    errors: list[FieldError] = []
    for value in (1, "50%", -1, "x", "150%"):
        values.validate_int_or_percent(value, "p", errors)
        values.validate_not_more_than_100_percent(value, "p", errors)
    assert [error.body.partition(": ")[2].partition(":")[0] for error in errors] == ["-1", '"x"', '"150%"']
    assert [values.int_or_percent_value(value) for value in (3, "40%", "x", None)] == [3, 40, 0, 0]


def test_vendor_resources_are_extended() -> None:
    assert values.is_extended_resource("example.com/gpu")
    assert not values.is_extended_resource("cpu")
    assert not values.is_extended_resource("requests.example.com/gpu")
