"""Limits per host: rates, requests in flight, circuit breakers. Time is a number that the test sets."""

import pytest

from ostro.http.limits import BreakerState, HostRule, Limits, Permit, Wait, parse_rule

HOST = "api.example.com:443"


def limits(**rule) -> Limits:
    return Limits([HostRule(pattern="*.example.com", **rule)])


def passes(answer: object) -> Permit:
    assert isinstance(answer, Permit), answer
    return answer


def waits(answer: object) -> float:
    assert isinstance(answer, Wait), answer
    return answer.seconds


def test_a_rule_as_text():
    assert parse_rule("*.Example.com; rate=2.5; burst=4; in-flight=8; failures=5; ratio=0.5; open=60") == HostRule(
        pattern="*.example.com", rate=2.5, burst=4, in_flight=8, failures=5, ratio=0.5, open=60
    )
    assert parse_rule("localhost:8080;in_flight=1") == HostRule(pattern="localhost:8080", in_flight=1)


@pytest.mark.parametrize(
    "text", ["", "rate=1", "a;rate", "a;speed=1", "a;rate=fast", "a;rate=-1", "a;burst=0", "a;ratio=2"]
)
def test_a_rule_that_cannot_be_understood_is_an_error(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_rule(text)


def test_the_first_rule_that_matches_holds_and_others_are_free():
    both = Limits([HostRule(pattern="a.example.com:8080", rate=1), HostRule(pattern="*.example.com", rate=10)])
    for _ in range(2):
        both.admit("a.example.com:8080", "", 0.0)
        both.admit("b.example.com:80", "", 0.0)
    assert waits(both.admit("a.example.com:8080", "", 0.0)) == pytest.approx(2.0)
    assert waits(both.admit("b.example.com:80", "", 0.0)) == pytest.approx(0.2)
    assert both.admit("elsewhere.org:443", "", 0.0) is None


def test_a_new_host_begins_with_one_token_whatever_its_burst():
    some = limits(rate=10, burst=5)
    passes(some.admit(HOST, "a", 100.0))
    assert waits(some.admit(HOST, "b", 100.0)) == pytest.approx(0.1)


def test_after_a_pause_a_burst_may_go_at_once():
    some = limits(rate=10, burst=5)
    passes(some.admit(HOST, "first", 0.0))
    for number in range(5):
        passes(some.admit(HOST, str(number), 60.0))
    assert waits(some.admit(HOST, "late", 60.0)) == pytest.approx(0.1)


def test_those_who_wait_get_slots_one_after_another_and_keep_them():
    some = limits(rate=2)
    passes(some.admit(HOST, "t0", 0.0))
    told = [waits(some.admit(HOST, f"t{number}", 0.0)) for number in range(1, 4)]
    assert told == pytest.approx([0.5, 1.0, 1.5])
    assert waits(some.admit(HOST, "newcomer", 1.0)) == pytest.approx(1.0), "behind all of them"
    passes(some.admit(HOST, "t2", 1.0))
    passes(some.admit(HOST, "t1", 1.0))
    assert waits(some.admit(HOST, "t1", 1.0)) > 1.0, "a slot is used once"


def test_a_slot_that_nobody_came_for_is_not_kept_for_ever():
    some = limits(rate=1)
    passes(some.admit(HOST, "a", 0.0))
    waits(some.admit(HOST, "gone", 0.0))
    passes(some.admit(HOST, "b", 100.0))
    assert waits(some.admit(HOST, "gone", 100.0)) == pytest.approx(1.0)


def test_the_rate_holds_for_a_thousand_that_come_at_once_after_a_restart():
    some = limits(rate=100, burst=10)
    due = [0.0] * 1000
    sent = []
    while due:
        at = min(due)
        due.remove(at)
        answer = some.admit(HOST, "task", at)
        if isinstance(answer, Wait):
            due.append(at + answer.seconds)
        else:
            sent.append(at)
    assert len(sent) == 1000
    for index, at in enumerate(sent[:-100]):
        assert sent[index + 100] - at >= 0.9, "at most 100 and a burst within any second"
    assert max(sent) == pytest.approx(10.0, abs=0.2)


def test_requests_in_flight_are_bounded_and_a_place_is_free_when_one_ends():
    some = limits(in_flight=2)
    first, _ = passes(some.admit(HOST, "", 0.0)), passes(some.admit(HOST, "", 0.0))
    assert 0 < waits(some.admit(HOST, "", 0.0)) < 1
    some.done(first, "good", 0.2)
    passes(some.admit(HOST, "", 0.2))
    assert isinstance(some.admit(HOST, "", 0.2), Wait)


def fail(some: Limits, times: int, now: float = 0.0, ended: str = "bad") -> None:
    for _ in range(times):
        some.done(passes(some.admit(HOST, "", now)), ended, now)


def test_failures_in_a_row_open_the_breaker():
    some = limits(failures=3, open=10)
    fail(some, 2)
    fail(some, 1, ended="good")
    fail(some, 2)
    passes(some.admit(HOST, "", 0.0))
    fail(some, 1)
    answer = some.admit(HOST, "", 4.0)
    assert isinstance(answer, Wait)
    assert answer.is_broken
    assert answer.seconds == pytest.approx(6.0)


def test_a_share_of_failures_opens_it_when_there_are_enough_calls():
    some = limits(ratio=0.5, open=10)
    for _ in range(9):
        fail(some, 1)
        fail(some, 1, ended="good")
    fail(some, 1, ended="good")
    fail(some, 1)
    assert waits(some.admit(HOST, "", 0.0)) == pytest.approx(10)


def test_one_probe_decides_and_a_failed_one_doubles_the_time():
    some = limits(failures=1, open=10)
    fail(some, 1)
    probe = passes(some.admit(HOST, "", 10.0))
    second = some.admit(HOST, "", 10.0)
    assert isinstance(second, Wait)
    assert not second.is_broken, "it is being found out"
    some.done(probe, "bad", 11.0)
    assert waits(some.admit(HOST, "", 11.0)) == pytest.approx(20)
    some.done(passes(some.admit(HOST, "", 31.0)), "good", 31.5)
    passes(some.admit(HOST, "", 31.5))
    passes(some.admit(HOST, "", 31.5))


def test_a_probe_that_was_given_up_lets_another_one_through():
    some = limits(failures=1, open=10)
    fail(some, 1)
    some.done(passes(some.admit(HOST, "", 10.0)), "unknown", 12.0)
    assert passes(some.admit(HOST, "", 12.0)).is_probe


def test_what_began_before_the_breaker_opened_changes_nothing():
    some = limits(failures=1, open=10)
    slow = passes(some.admit(HOST, "", 0.0))
    fail(some, 1)
    some.done(slow, "good", 5.0)
    assert waits(some.admit(HOST, "", 5.0)) == pytest.approx(5)


def test_an_open_breaker_is_open_after_a_restart():
    before = limits(failures=1, open=10)
    fail(before, 1, now=50.0)
    states = before.states(52.0)
    assert states == {HOST: BreakerState(left=8.0, length=10.0)}
    after = limits(failures=1, open=10)
    after.restore(states, 1000.0)
    assert waits(after.admit(HOST, "", 1001.0)) == pytest.approx(7)
    assert passes(after.admit(HOST, "", 1008.0)).is_probe


def test_a_kept_state_is_forgotten_if_the_rule_is_gone():
    after = limits(rate=1)
    after.restore({HOST: BreakerState(left=8.0, length=10.0), "other.org:80": BreakerState(1, 1)}, 0.0)
    passes(after.admit(HOST, "", 0.0))


def test_idle_hosts_are_forgotten_when_there_are_very_many():
    some = limits(rate=1)
    busy = passes(some.admit("busy.example.com:80", "", 0.0))
    for number in range(25_000):
        some.done(passes(some.admit(f"h{number}.example.com:80", "", number * 1.0)), "good", number * 1.0)
    assert len(some._hosts) < 11_000
    some.done(busy, "good", 25_000.0)
