"""Who of those that wait comes next, and how many seats a level has."""

from __future__ import annotations

from typing import Any

from kcore.apiserver.bootstrap import flows as bootstrap
from kcore.apiserver.entry import levels
from kcore.apiserver.entry.levels import Level, Lines
from kcore.base import limits


def taken(lines: Lines[str], count: int) -> str:
    return " ".join(lines.take() for _ in range(count))


def test_lines_take_turns_however_long_they_are() -> None:
    lines: Lines[str] = Lines()
    for number in range(4):
        lines.put("a", f"a{number}", 1)
    assert taken(lines, 1) == "a0"
    lines.put("b", "b0", 1)
    lines.put("b", "b1", 1)
    assert taken(lines, 5) == "b0 a1 b1 a2 a3"
    assert (lines.count, lines.lines, lines.order) == (0, {}, [])


def test_who_takes_more_waits_longer() -> None:
    lines: Lines[str] = Lines()
    for number in range(3):
        lines.put("wide", f"w{number}", 4)
        lines.put("slim", f"s{number}", 1)
    assert taken(lines, 6) == "w0 s0 s1 s2 w1 w2"


def test_a_line_that_comes_late_is_given_no_turns_for_the_time_before() -> None:
    lines: Lines[str] = Lines()
    for number in range(103):
        lines.put("a", f"a{number}", 1)
    taken(lines, 100)
    for number in range(3):
        lines.put("b", f"b{number}", 1)
    assert taken(lines, 6) == "b0 a100 b1 a101 b2 a102"


def configured() -> dict[str, Level[Any]]:
    found = {obj["metadata"]["name"]: obj for obj in bootstrap.flows() if obj["kind"] == "PriorityLevelConfiguration"}
    made: dict[str, Level[Any]] = {name: Level(name) for name in found}
    for name, level in made.items():
        level.configure(found[name])
    levels.divide(made.values(), limits.FLOW_SEATS)
    return made


def test_seats_are_divided_by_shares_and_lent_in_part() -> None:
    made = configured()
    assert {name: level.seats for name, level in made.items()} == {
        "exempt": 0, "catch-all": 13, "global-default": 49, "leader-election": 25, "node-high": 98, "system": 74, "workload-high": 98,
        "workload-low": 245,
    }  # fmt: skip
    assert (made["workload-low"].lendable, made["system"].lendable, made["catch-all"].lendable) == (220, 24, 0)
    assert made["exempt"].weight == 245 and made["leader-election"].weight == 10


def test_a_level_borrows_what_others_lend_and_do_not_use() -> None:
    made = configured()
    level, every = made["global-default"], made.values()
    kept = sum(each.seats - each.lendable for each in every if each is not level)
    level.executing = limits.FLOW_SEATS - kept - 1
    assert levels.has_room(level, 1, every) and not levels.has_room(level, 2, every)
    made["workload-low"].executing = 200
    assert not levels.has_room(level, 1, every)
    assert levels.has_room(made["workload-low"], 45, every)


def test_a_level_borrows_no_more_than_it_says() -> None:
    made = configured()
    level = made["global-default"]
    level.borrowable, level.executing = 1, 49
    assert levels.has_room(level, 1, made.values()) and not levels.has_room(level, 2, made.values())


def test_an_exempt_level_always_has_room() -> None:
    made = configured()
    for level in made.values():
        level.executing = 10_000
    assert levels.has_room(made["exempt"], 10, made.values()) and not levels.has_room(made["system"], 1, made.values())
