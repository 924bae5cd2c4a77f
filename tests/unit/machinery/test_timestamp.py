"""RFC 3339 in both directions."""
import pytest

from kcore.machinery import timestamp


def test_seconds_become_text_and_back() -> None:
    assert timestamp.format_time(1704067200.9) == "2024-01-01T00:00:00Z"
    assert timestamp.parse_time("2024-01-01T00:00:00Z") == 1704067200.0
    assert timestamp.format_micro_time(1704067200.123456) == "2024-01-01T00:00:00.123456Z"


def test_zones_and_fractions_are_taken_into_account() -> None:
    assert timestamp.parse_parts("2024-01-01T02:00:00+02:00") == timestamp.parse_parts("2024-01-01T00:00:00Z")
    assert timestamp.parse_parts("2023-12-31T22:30:00.5-01:30") == (1704067200, 500_000_000)
    assert timestamp.format_parts(1704067200, 123_456_789, micro=True) == "2024-01-01T00:00:00.123456Z"


@pytest.mark.parametrize(
    "text", ["", "2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00+25:00"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        timestamp.parse_parts(text)


def test_one_moment_has_many_names() -> None:
    assert timestamp.same_moment("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00")
    assert timestamp.same_moment(None, "")
    assert not timestamp.same_moment("2024-01-01T00:00:00Z", None)
