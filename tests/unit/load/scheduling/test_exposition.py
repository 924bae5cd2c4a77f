"""What the scheduler counted between two looks."""

from kcore.load.scheduling import exposition

BEFORE = """# HELP scheduler_schedule_attempts_total Attempts.
# TYPE scheduler_schedule_attempts_total counter
scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 10.0
scheduler_framework_extension_point_duration_seconds_sum{extension_point="Filter",profile="default-scheduler",status="Success"} 1.0
scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",profile="default-scheduler",status="Success"} 1000.0
scheduler_pending_pods{queue="active"} 3.0
"""
AFTER = """scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 14.0
scheduler_schedule_attempts_total{profile="o\\"ther",result="scheduled"} 2.0
scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 3.0
scheduler_framework_extension_point_duration_seconds_sum{extension_point="Filter",profile="default-scheduler",status="Success"} 1.5
scheduler_framework_extension_point_duration_seconds_count{extension_point="Filter",profile="default-scheduler",status="Success"} 2000.0
scheduler_framework_extension_point_duration_seconds_bucket{extension_point="Filter",le="+Inf",profile="p",status="Success"} 2000.0
"""


def test_what_grew_is_summed_over_profiles() -> None:
    told = exposition.told(exposition.read(BEFORE), exposition.read(AFTER))
    assert told == {"attempts": {"scheduled": 6, "unschedulable": 3}, "attempt_us": {}, "extension_point_us": {"Filter": 500.0}}


def test_what_did_not_grow_is_not_told() -> None:
    values = exposition.read(AFTER)
    assert exposition.told(values, values) == {"attempts": {}, "attempt_us": {}, "extension_point_us": {}}


def test_a_scheduler_that_was_started_again_counts_anew() -> None:
    told = exposition.told(exposition.read(AFTER), exposition.read(BEFORE))
    assert told["attempts"] == {"scheduled": 10}
