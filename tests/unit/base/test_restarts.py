"""When the supervisor starts a part again, and when it gives up."""

from kcore.base import limits
from kcore.base.restarts import GiveUp, History, Restart


def test_pauses_double_up_to_their_bound() -> None:
    history = History()
    delays = []
    now = 0.0
    for _ in range(10):
        verdict = history.died(now, ready_since=now)
        assert isinstance(verdict, Restart)
        delays.append(verdict.delay_s)
        now += 1
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == limits.RESTART_BACKOFF_S_MAX


def test_a_part_that_lived_a_while_starts_again_at_once() -> None:
    history = History()
    for _ in range(4):
        history.died(1.0, ready_since=1.0)
    assert history.died(100.0, ready_since=100.0 - limits.RESTART_STABLE_S) == Restart(limits.RESTART_BACKOFF_S)


def test_a_part_that_is_never_ready_is_given_up() -> None:
    history = History()
    verdicts = [history.died(float(second), None) for second in range(limits.RESTARTS_UNREADY_MAX + 1)]
    assert all(isinstance(verdict, Restart) for verdict in verdicts[:-1])
    assert verdicts[-1] == GiveUp("died 6 times in a row before it was ready")


def test_being_ready_once_forgives_earlier_failures() -> None:
    history = History()
    for _ in range(limits.RESTARTS_UNREADY_MAX):
        history.died(1.0, None)
    assert isinstance(history.died(2.0, ready_since=1.5), Restart)
    assert isinstance(history.died(3.0, None), Restart)


def test_too_many_deaths_in_the_window_are_too_many() -> None:
    history = History()
    verdicts = [history.died(second / 10, ready_since=0.0) for second in range(limits.RESTARTS_MAX + 1)]
    assert isinstance(verdicts[-2], Restart)
    assert isinstance(verdicts[-1], GiveUp)


def test_old_deaths_are_forgotten() -> None:
    history = History()
    for number in range(10 * limits.RESTARTS_MAX):
        now = number * limits.RESTARTS_WINDOW_S / limits.RESTARTS_MAX * 1.01
        assert isinstance(history.died(now, ready_since=now), Restart)
    assert len(history.deaths) <= limits.RESTARTS_MAX
