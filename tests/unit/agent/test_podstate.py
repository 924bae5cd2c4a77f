"""A hollow pod's life: each stage of its containers, what ends it and when, for every restart policy."""

from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest

from kcore.agent import podstate
from kcore.agent.podprofile import ALWAYS, NEVER, ON_FAILURE, ContainerProfile, PodProfile
from kcore.agent.podstate import BACKING_OFF, RUNNING, TERMINATED, Advance, Moment, PodState, adapt, new_state
from kcore.agent.settings import HollowSettings

WALL_S = 1_767_225_600
PLAIN = ContainerProfile("main", "nginx", True, 0.0, 0.0, -1.0, 0, ALWAYS, False)
INIT = PLAIN._replace(name="init", exits_after_s=0.0, restart_policy=ON_FAILURE)
SIDECAR = PLAIN._replace(name="sidecar", is_sidecar=True)
POD = PodProfile((), (PLAIN,), (), ALWAYS, False, -1.0, ())


class Life:
    """A pod and its clock."""

    def __init__(self, profile: PodProfile, settings: HollowSettings | None = None, chance: float = 0.5) -> None:
        self.advance = Advance(settings or HollowSettings(), lambda: chance)
        self.state: PodState = new_state(profile)
        self.now_s = 0.0
        self.advance.begin(self.state, self.moment)
        self.state.addresses = ("10.1.0.2",)
        self.go(0.0)

    @property
    def moment(self) -> Moment:
        return Moment(self.now_s, WALL_S + int(self.now_s))

    def go(self, seconds: float) -> PodState:
        """Let time pass, stopping wherever the state asks for it."""
        end_s = self.now_s + seconds
        while True:
            self.advance(self.state, self.moment)
            wakes_s = self.state.wakes_s
            assert wakes_s > self.now_s, "a state must not ask for the past again"
            if wakes_s > end_s:
                break
            self.now_s = wakes_s
        self.now_s = end_s
        return self.state


def finishing(code: int, after_s: float, policy: str) -> PodProfile:
    return POD._replace(main=(PLAIN._replace(exits_after_s=after_s, exit_code=code, restart_policy=policy),), restart_policy=policy)


def test_a_plain_pod_runs_at_once_and_for_ever() -> None:
    state = Life(POD).state
    assert state.main[0].stage == RUNNING
    assert state.main[0].is_started
    assert state.main[0].is_ready
    assert state.wakes_s == inf


def test_a_pod_without_addresses_waits_for_them() -> None:
    advance, state = Advance(HollowSettings(sandbox_delay_s=2.0), lambda: 0.0), new_state(POD)
    advance.begin(state, Moment(10.0, WALL_S))
    advance(state, Moment(11.0, WALL_S))
    assert state.needs_addresses
    assert state.wakes_s == 12.0
    assert state.main[0].stage == podstate.CREATING


def test_delays_come_one_after_the_other() -> None:
    life = Life(POD._replace(main=(PLAIN._replace(ready_s=4.0),)), HollowSettings(pull_delay_s=2.0, start_delay_s=1.0))
    assert life.go(2.9).main[0].stage == podstate.CREATING
    assert life.go(0.1).main[0].stage == RUNNING
    assert not life.go(3.9).main[0].is_ready
    assert life.go(0.1).main[0].is_ready


def test_jitter_lengthens_delays_by_chance() -> None:
    life = Life(POD, HollowSettings(start_delay_s=10.0, jitter=0.2), chance=0.5)
    assert life.state.wakes_s == 11.0


def test_probes_delay_started_and_ready() -> None:
    life = Life(POD._replace(main=(PLAIN._replace(startup_s=5.0, ready_s=10.0),)))
    assert not life.go(4.9).main[0].is_started
    assert life.go(0.1).main[0].is_started
    assert not life.go(9.9).main[0].is_ready
    assert life.go(0.1).main[0].is_ready


@pytest.mark.parametrize(
    ("code", "policy", "outcome"),
    [(0, NEVER, "Succeeded"), (3, NEVER, "Failed"), (0, ON_FAILURE, "Succeeded")],
)
def test_a_container_that_needs_no_restart_settles_the_pod(code: int, policy: str, outcome: str) -> None:
    life = Life(finishing(code, 1.0, policy))
    assert life.go(0.9).outcome == ""
    state = life.go(0.1)
    assert state.outcome == outcome
    assert state.main[0].last == podstate.Exit(code, "Error" if code else "Completed", WALL_S, WALL_S + 1, 0)
    assert state.wakes_s == inf


@pytest.mark.parametrize(("code", "policy"), [(0, ALWAYS), (3, ALWAYS), (3, ON_FAILURE)])
def test_a_container_that_is_to_run_backs_off_longer_each_time(code: int, policy: str) -> None:
    life = Life(finishing(code, 1.0, policy))
    starts, stage = [], RUNNING
    for _ in range(1300 * 2):
        before = life.state.main[0].restarts
        life.go(0.5)
        if life.state.main[0].restarts != before:
            starts.append(life.now_s)
    stage = life.state.main[0].stage
    pauses = [later - earlier - 1.0 for earlier, later in pairwise(starts)]
    assert starts[0] == 1.0, "the first restart is at once"
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    assert stage in (RUNNING, BACKING_OFF)
    assert life.state.outcome == ""


def test_a_long_run_resets_the_backoff() -> None:
    life = Life(finishing(1, 700.0, ALWAYS))
    life.go(1405.0)
    assert life.state.main[0].restarts == 2
    assert life.state.main[0].stage == RUNNING


def test_a_container_that_exits_at_once_does_not_spin() -> None:
    life = Life(finishing(1, 0.0, ALWAYS))
    assert life.state.main[0].restarts == 1
    assert life.state.wakes_s == 10.0


def test_an_image_that_nobody_has_is_tried_again_and_again() -> None:
    life = Life(POD._replace(main=(PLAIN._replace(is_pullable=False),)))
    seen = [(life.now_s, life.state.main[0].stage)]
    for _ in range(70):
        life.go(0.5)
        if life.state.main[0].stage != seen[-1][1]:
            seen.append((life.now_s, life.state.main[0].stage))
    failed, backing = podstate.PULL_FAILED, podstate.PULL_BACKING_OFF
    assert seen == [(0.0, failed), (1.0, backing), (10.0, failed), (11.0, backing), (30.0, failed), (31.0, backing)]


def test_init_containers_run_one_after_the_other() -> None:
    init = INIT._replace(exits_after_s=2.0)
    life = Life(POD._replace(init=(init._replace(name="a"), init._replace(name="b"))))
    assert [each.stage for each in life.go(2.5).init] == [TERMINATED, RUNNING]
    assert life.state.main[0].stage == podstate.CREATING
    state = life.go(1.5)
    assert state.is_initialized
    assert state.main[0].stage == RUNNING


def test_a_failing_init_container_fails_a_pod_that_never_restarts() -> None:
    life = Life(POD._replace(init=(INIT._replace(exit_code=1, restart_policy=NEVER),), restart_policy=NEVER))
    assert life.state.outcome == "Failed"
    assert life.state.main[0].stage == podstate.CREATING


def test_a_failing_init_container_is_tried_again_elsewhere() -> None:
    life = Life(POD._replace(init=(INIT._replace(exit_code=1),)))
    assert life.state.init[0].stage == BACKING_OFF
    assert life.go(100.0).outcome == ""
    assert not life.state.is_initialized


def test_a_sidecar_starts_before_the_next_and_stops_after_the_last() -> None:
    slow = SIDECAR._replace(startup_s=3.0)
    main = PLAIN._replace(exits_after_s=5.0, restart_policy=NEVER)
    life = Life(POD._replace(init=(slow, INIT), main=(main,), restart_policy=NEVER))
    assert [each.stage for each in life.go(2.9).init] == [RUNNING, podstate.CREATING]
    life.go(0.1)
    assert life.state.is_initialized
    assert life.state.main[0].stage == RUNNING
    assert life.go(4.9).init[0].stage == RUNNING
    assert life.go(0.1).outcome == "Succeeded"
    assert life.state.init[0].stage == TERMINATED


def test_a_deadline_fails_the_pod() -> None:
    life = Life(POD._replace(deadline_s=30.0))
    assert life.go(29.9).outcome == ""
    state = life.go(0.1)
    assert (state.outcome, state.reason) == ("Failed", "DeadlineExceeded")
    assert state.main[0].exit_code == 137


def test_a_deadline_also_holds_for_a_pod_that_does_not_start() -> None:
    life = Life(POD._replace(deadline_s=30.0, main=(PLAIN._replace(is_pullable=False),)))
    assert life.go(30.0).outcome == "Failed"


def test_a_deleted_pod_ends_at_once_with_a_failure() -> None:
    life = Life(POD)
    life.advance.end(life.state, 30.0, life.moment)
    life.advance(life.state, life.moment)
    assert life.state.is_over
    assert life.state.outcome == "Failed"
    assert life.state.main[0].exit_code == 143
    assert life.state.wakes_s == inf


def test_a_deleted_pod_takes_the_time_that_is_set_within_its_grace_period() -> None:
    settings = HollowSettings(termination_s=5.0)
    for grace_s, expected_s in ((30.0, 5.0), (2.0, 2.0)):
        life = Life(POD, settings)
        life.advance.end(life.state, grace_s, life.moment)
        assert life.state.wakes_s == expected_s
        assert not life.go(expected_s - 0.1).is_over
        assert life.go(0.1).is_over


def test_a_second_deletion_only_brings_the_end_nearer() -> None:
    life = Life(POD, HollowSettings(termination_s=60.0))
    life.advance.end(life.state, 30.0, life.moment)
    life.advance.end(life.state, 60.0, life.moment)
    assert life.state.ends_s == 30.0
    life.advance.end(life.state, 1.0, life.moment)
    assert life.state.ends_s == 1.0


def test_a_finished_pod_keeps_its_outcome_when_it_is_deleted() -> None:
    life = Life(finishing(0, 1.0, NEVER))
    life.go(1.0)
    life.advance.end(life.state, 30.0, life.moment)
    assert life.go(0.0).outcome == "Succeeded"
    assert life.state.is_over


def test_a_pod_that_ends_in_time_counts_as_succeeded() -> None:
    """One of two containers has finished well when the pod is deleted; the other is stopped, and that is a failure."""
    done = PLAIN._replace(exits_after_s=0.0, restart_policy=NEVER)
    life = Life(POD._replace(main=(done, PLAIN), restart_policy=NEVER))
    life.advance.end(life.state, 30.0, life.moment)
    assert life.go(0.0).outcome == "Failed"


def test_failures_come_by_chance() -> None:
    settings = HollowSettings(failure_rate=0.5, failure_after_s=3.0)
    assert Life(POD, settings, chance=0.6).go(10.0).main[0].restarts == 0
    assert Life(POD, settings, chance=0.4).go(4.0).main[0].restarts == 1


def test_pulls_fail_by_chance() -> None:
    assert Life(POD, HollowSettings(pull_failure_rate=0.5), chance=0.4).state.main[0].stage == podstate.PULL_FAILED


def test_a_new_ephemeral_container_runs_too() -> None:
    life = Life(POD)
    adapt(life.state, POD._replace(ephemeral=(PLAIN._replace(name="debug", restart_policy=NEVER),)))
    assert life.go(0.0).ephemeral[0].stage == RUNNING


def test_a_deadline_that_comes_later_counts_from_the_start() -> None:
    life = Life(POD)
    life.go(10.0)
    adapt(life.state, POD._replace(deadline_s=20.0))
    assert life.go(9.9).outcome == ""
    assert life.go(0.1).outcome == "Failed"


def test_settings_are_values() -> None:
    assert replace(HollowSettings(), job_run_s=2.0) != HollowSettings()
