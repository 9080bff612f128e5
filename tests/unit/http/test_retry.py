"""The retry rules, by the tables of the reference."""

import pytest

from ostro.model.automation import RetryRules
from ostro.model.retry import Again, Counters, Give, GiveUp, Outcome, backoff, decide, first_counters

GET_AND_MORE = RetryRules().allowed_methods


def bad(status: int = 503, method: str = "GET", retry_after: float | None = None) -> Outcome:
    return Outcome(kind="response", status=status, method=method, url="http://a/x", retry_after=retry_after)


def error(kind: str, method: str = "GET") -> Outcome:
    return Outcome(kind=kind, method=method, url="http://a/x", message="it broke")  # type: ignore[arg-type]


def retries(rules: RetryRules, outcome: Outcome, most: int = 50) -> int:
    """How often the same outcome is tried again."""
    counters = first_counters(rules)
    for count in range(most):
        decision = decide(rules, counters, outcome)
        if not isinstance(decision, Again):
            return count
        counters = decision.counters
    return most


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"total": 0}, 0),
        ({"total": 5, "status": 1}, 1),
        ({"total": None, "status": 0}, 0),
        ({"total": 2, "status": 5}, 2),
    ],
)
def test_total_takes_precedence_and_kinds_are_stricter(counts: dict[str, int | None], expected: int) -> None:
    assert retries(RetryRules(status_forcelist=frozenset({503}), **counts), bad()) == expected


def test_total_false_means_one_attempt_and_the_bare_error() -> None:
    rules = RetryRules(total=False)
    assert decide(rules, first_counters(rules), error("connect")) == GiveUp("it broke")
    redirect = Outcome(kind="redirect", status=302, url="http://a/x")
    assert decide(rules, first_counters(rules), redirect) == Give(is_success=True)


@pytest.mark.parametrize("kind", ["connect", "other"])
def test_connect_and_other_errors_are_retried_for_every_method(kind: str) -> None:
    assert retries(RetryRules(total=3), error(kind, "POST")) == 3


def test_read_errors_and_statuses_are_retried_for_allowed_methods_only() -> None:
    rules = RetryRules(total=3, status_forcelist=frozenset({503}))
    assert retries(rules, error("read", "GET")) == 3
    assert retries(rules, error("read", "POST")) == 0
    assert retries(rules, bad(method="POST")) == 0
    assert retries(RetryRules(total=3, allowed_methods=None), error("read", "POST")) == 3


def test_an_empty_list_of_methods_retries_none() -> None:
    assert retries(RetryRules(total=3, allowed_methods=frozenset()), error("read")) == 0


def test_a_fatal_outcome_is_never_retried() -> None:
    assert retries(RetryRules(total=None), error("fatal")) == 0


def test_a_status_outside_the_list_is_simply_the_response() -> None:
    rules = RetryRules()
    assert decide(rules, first_counters(rules), bad(404)) == Give(
        is_success=False, message="The response has status 404 [url=http://a/x]"
    )
    assert decide(rules, first_counters(rules), bad(204)) == Give(is_success=True)


@pytest.mark.parametrize("status", [413, 429, 503])
def test_retry_after_makes_some_statuses_retryable(status: int) -> None:
    rules = RetryRules(total=2)
    assert retries(rules, bad(status, retry_after=1.0)) == 2
    assert retries(rules, bad(status)) == 0
    assert retries(RetryRules(total=2, respect_retry_after_header=False), bad(status, retry_after=1.0)) == 0
    assert retries(RetryRules(total=None), bad(status, retry_after=1.0), most=5) == 0


def test_retry_after_is_waited_instead_of_the_backoff() -> None:
    rules = RetryRules(status_forcelist=frozenset({503}), backoff_factor=1.0)
    counters = Counters(total=5, n=3)
    assert decide(rules, counters, bad(retry_after=7.0)).wait == 7.0  # type: ignore[union-attr]
    assert decide(rules, counters, bad(retry_after=0.0)).wait == 0.0  # type: ignore[union-attr]
    assert decide(rules, counters, bad(retry_after=1e9)).wait == 6 * 3600  # type: ignore[union-attr]
    assert decide(rules, counters, bad()).wait == 8.0  # type: ignore[union-attr]


@pytest.mark.parametrize(("factor", "waits"), [(0.1, [0, 0.2, 0.4, 0.8, 1.6]), (1.0, [0, 2, 4, 8]), (0, [0, 0, 0])])
def test_backoff_doubles_after_the_second_failure(factor: float, waits: list[float]) -> None:
    rules = RetryRules(backoff_factor=factor)
    assert [backoff(rules, Counters(n=n)) for n in range(1, len(waits) + 1)] == pytest.approx(waits)
    assert backoff(RetryRules(backoff_factor=1.0), Counters(n=10_000)) == 120.0


def test_exhaustion_raises_or_gives_the_last_response() -> None:
    strict = RetryRules(total=0, status_forcelist=frozenset({503}))
    assert decide(strict, first_counters(strict), bad()) == GiveUp(
        "Max retries exceeded with url: http://a/x (Caused by too many 503 error responses)"
    )
    lenient = RetryRules(total=0, status_forcelist=frozenset({503}), raise_on_status=False)
    assert decide(lenient, first_counters(lenient), bad()) == Give(is_success=True)
    redirect = Outcome(kind="redirect", status=302, url="http://a/x")
    strict = RetryRules(redirect=0)
    assert decide(strict, first_counters(strict), redirect) == GiveUp(
        "Max retries exceeded with url: http://a/x (Caused by too many redirects)"
    )
    lenient = RetryRules(redirect=0, raise_on_redirect=False)
    assert decide(lenient, first_counters(lenient), redirect) == Give(is_success=True)


def test_raise_on_status_governs_every_bad_status() -> None:
    rules = RetryRules(raise_on_status=False)
    assert decide(rules, first_counters(rules), bad(404)) == Give(is_success=True)
