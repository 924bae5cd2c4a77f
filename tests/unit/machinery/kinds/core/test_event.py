"""Events of both groups."""
from typing import Any

from kcore.machinery.conversion.event import to_core
from kcore.machinery.kinds.core import event as core_event
from kcore.machinery.kinds.events import event

NEW: dict[str, Any] = to_core({
    "metadata": {"name": "e", "namespace": "d"}, "regarding": {"kind": "Pod", "namespace": "d", "name": "p"}, "action": "Act",
    "reason": "R",
    "reportingController": "a.b/c", "reportingInstance": "i", "eventTime": "2024-01-01T00:00:00.000000Z", "type": "Normal",
})


def messages(errors: list[Any]) -> list[str]:
    return [error.message() for error in errors]


def test_an_event_lies_in_the_namespace_of_its_object() -> None:
    check = core_event.RULES.validate
    assert check({"metadata": {"namespace": "d"}, "involvedObject": {"namespace": "d"}}) == []
    assert check({"metadata": {"namespace": "default"}, "involvedObject": {}}) == []
    assert messages(check({"metadata": {"namespace": "d"}, "involvedObject": {"namespace": "x"}})) == [
        'involvedObject.namespace: Invalid value: "x": does not match event.namespace'
    ]


def test_a_core_event_with_an_event_time_must_say_who_saw_what() -> None:
    value = {"metadata": {"namespace": "d"}, "involvedObject": {"namespace": "d"}, "eventTime": "t", "message": "m" * 1025}
    assert [error.field for error in core_event.RULES.validate(value)] == [
        "reportingComponent", "reportingComponent", "reportingComponent", "reportingInstance", "action", "reason", "message",
    ]


def test_a_new_event_is_complete() -> None:
    assert event.RULES.validate(NEW) == []
    wrong = {**NEW, "type": "X", "series": {"count": 1}, "count": 1, "source": {"host": "h"}}
    del wrong["eventTime"]
    assert messages(event.RULES.validate(wrong)) == [
        'series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value", "eventTime: Required value",
        'type: Invalid value: "": has invalid value: X',
        'count: Invalid value: "": needs to be unset', 'source: Invalid value: "": needs to be unset',
    ]


def test_only_the_series_of_a_new_event_changes() -> None:
    assert event.RULES.validate_update({**NEW, "series": {"count": 2, "lastObservedTime": "t"}}, NEW) == []
    changed = {**NEW, "message": "x", "action": "Other", "related": {"kind": "Node", "name": "n"},
               "eventTime": "2024-01-01T00:00:00.000001Z"}
    assert [error.field for error in event.RULES.validate_update(changed, NEW)] == ["message", "action", "related", "eventTime"]
    same = {**NEW, "eventTime": "2024-01-01T01:00:00.000000+01:00"}
    assert event.RULES.validate_update(same, NEW) == []
