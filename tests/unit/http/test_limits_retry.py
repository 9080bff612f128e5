"""What the limits of hosts mean for the retries of a call."""

from ostro.model.retry import Again, GiveUp, Outcome, RetryRules, decide, first_counters


def test_waiting_for_a_limit_costs_no_retry_however_often():
    rules = RetryRules(total=0)
    counters = first_counters(rules)
    for _ in range(3):
        decision = decide(rules, counters, Outcome(kind="limited", retry_after=12.5))
        assert decision == Again(12.5, counters)


def test_an_open_breaker_is_a_failure_to_connect_that_waits_at_least_until_it_may_close():
    rules = RetryRules(total=2, backoff_factor=1.0)
    refused = Outcome(kind="connect", url="http://a/", retry_after=3.0, message="the breaker is open")
    first = decide(rules, first_counters(rules), refused)
    assert isinstance(first, Again)
    assert first.wait == 3.0
    second = decide(rules, first.counters, Outcome(kind="connect", url="http://a/", retry_after=0.1))
    assert isinstance(second, Again)
    assert second.wait == 2.0, "the backoff, which is longer"
    assert isinstance(decide(rules, second.counters, refused), GiveUp)
