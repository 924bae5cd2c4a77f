"""Times, quantities, base64 and durations, and the sentences in which Go refuses them."""

from __future__ import annotations

import pytest

from kcore.machinery.codec import scalar_forms


@pytest.mark.parametrize(
    ("text", "micro", "sentence"),
    [
        ("", False, 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
        ("yesterday", False, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
        ("2024-01-01", False, 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        (
            "2024-01-01T00:00:00Z",
            True,
            'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
        ),
        ("2024-13-01T00:00:00Z", False, 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2024-02-30T00:00:00Z", False, 'parsing time "2024-02-30T00:00:00Z": day out of range'),
        ("2024-02-03T24:00:00Z", False, 'parsing time "2024-02-03T24:00:00Z": hour out of range'),
        ("2024-02-03T00:00:00Zx", False, 'parsing time "2024-02-03T00:00:00Zx": extra text: "x"'),
    ],
)
def test_a_bad_time_is_refused_as_go_does(text: str, micro: bool, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        scalar_forms.moment(text, micro)
    assert str(caught.value) == sentence


def test_a_time_has_seconds_and_a_micro_time_has_microseconds() -> None:
    assert scalar_forms.moment("1970-01-01T01:00:01.987654321+01:00", False) == (1, 0)
    assert scalar_forms.moment("1970-01-01T00:00:01.987654Z", True) == (1, 987654000)


@pytest.mark.parametrize(("text", "place"), [("@@@", 0), ("Bad Value!", 3), ("changed", 4), ("YQ=", 3), ("YQ==x", 4), ("Y", 0), ("YWI", 0)])
def test_bad_base64_is_refused_where_it_goes_wrong(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"illegal base64 data at input byte {place}$"):
        scalar_forms.base64_bytes(text)


def test_quantities_may_be_numbers_in_json_but_nothing_else() -> None:
    assert [scalar_forms.canonical_quantity(value) for value in (1, 1.5, "2000", " 1Ki ")] == ["1", "1500m", "2k", "1Ki"]
    for value in (True, None, [], {}):
        with pytest.raises(ValueError, match="quantities must match"):
            scalar_forms.canonical_quantity(value)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1500, "1.5µs"),
        (2_000_000, "2ms"),
        (1_500_000_000, "1.5s"),
        (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h0m0s"),
        (-(10**9), "-1s"),
    ],
)
def test_durations_are_written_and_read_as_go_does(nanos: int, text: str) -> None:
    assert scalar_forms.format_duration(nanos) == text
    assert scalar_forms.parse_duration(text) == nanos


@pytest.mark.parametrize("text", ["", "1", "x", "1x", "--1s", "1s2", "9999999999h"])
def test_a_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time: "):
        scalar_forms.parse_duration(text)
