"""What is written about decisions."""

from kcore.machinery import codec
from kcore.scheduler import binding
from kcore.scheduler.cycle import Decision
from tests.unit.scheduler.pods import pod

NOW = 1_767_225_600.0


def condition(**fields: str) -> bytes:
    return codec.encode("kcore.api.core.v1.PodCondition", fields)


def test_a_condition_is_written_among_the_others():
    other = condition(type="Ready", status="False")
    patch = binding.status_patch(pod("a", conditions=(other,), generation=2), "Unschedulable", "why", "", NOW)
    assert patch == {
        "status": {
            "conditions": [
                {"type": "Ready", "status": "False", "lastProbeTime": None, "lastTransitionTime": None},
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "why",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                    "observedGeneration": 2,
                },
            ]
        }
    }


def test_a_condition_that_says_so_already_is_not_written():
    old = condition(type="PodScheduled", status="False", reason="Unschedulable", message="why")
    assert binding.status_patch(pod("a", conditions=(old,)), "Unschedulable", "why", "", NOW) is None


def test_a_new_message_keeps_the_time_of_the_transition():
    since = "2025-05-05T05:05:05Z"
    old = condition(type="PodScheduled", status="False", reason="SchedulingGated", message="gates", lastTransitionTime=since)
    patch = binding.status_patch(pod("a", conditions=(old,)), "Unschedulable", "why", "", NOW)
    assert [(each["reason"], each["lastTransitionTime"]) for each in patch["status"]["conditions"]] == [("Unschedulable", since)]


def test_a_nomination_is_written_with_the_condition_and_cleared_by_it():
    old = condition(type="PodScheduled", status="False", reason="Unschedulable", message="why")
    patch = binding.status_patch(pod("a", conditions=(old,)), "Unschedulable", "why", "n0", NOW)
    assert patch["status"]["nominatedNodeName"] == "n0"
    patch = binding.status_patch(pod("a", conditions=(old,), nominated="n0"), "Unschedulable", "other", "", NOW)
    assert patch["status"]["nominatedNodeName"] is None
    assert binding.status_patch(pod("a", conditions=(old,), nominated="n0"), "Unschedulable", "why", "n0", NOW) is None


def test_events_use_the_words_that_clients_look_for():
    assert binding.scheduled_note(pod("a"), "n0") == ("Normal", "Scheduled", "Successfully assigned default/a to n0", "Binding")
    assert binding.failed_note(Decision(None, message="why")) == ("Warning", "FailedScheduling", "why", "Scheduling")
