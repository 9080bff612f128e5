"""The retry rules beside urllib3's: the same outcomes, decision by decision.

`OSTRO_RETRY_SEQUENCES` sets how many sequences are tried (10,000 and more in the long run).
"""

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPResponse
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.util.retry import Retry as Theirs

from ostro.model.automation import RetryRules
from ostro.model.retry import Again, Counters, Decision, Outcome, decide, first_counters

SEQUENCES = int(os.environ.get("OSTRO_RETRY_SEQUENCES", "300"))
URL = "http://a/x"
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]
_STATUSES = [200, 204, 304, 400, 404, 413, 429, 500, 503]
_COUNTS = st.one_of(st.none(), st.integers(0, 6))

rules = st.builds(
    RetryRules,
    total=st.one_of(_COUNTS, st.just(False)),
    connect=_COUNTS,
    read=_COUNTS,
    redirect=_COUNTS,
    status=_COUNTS,
    other=_COUNTS,
    allowed_methods=st.one_of(st.none(), st.frozensets(st.sampled_from(_METHODS), min_size=1)),
    status_forcelist=st.frozensets(st.sampled_from(_STATUSES[2:])),
    backoff_factor=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
    raise_on_redirect=st.booleans(),
    raise_on_status=st.booleans(),
    respect_retry_after_header=st.booleans(),
)
responses = st.builds(
    Outcome,
    kind=st.just("response"),
    url=st.just(URL),
    status=st.sampled_from(_STATUSES),
    retry_after=st.one_of(st.none(), st.integers(1, 100_000).map(float)),  # 0 is decided otherwise
)
redirects = st.builds(
    Outcome,
    kind=st.just("redirect"),
    url=st.just(URL),
    status=st.sampled_from([301, 302, 303, 307, 308]),
    retry_after=st.one_of(st.none(), st.integers(1, 100).map(float)),
)
errors = st.builds(
    Outcome, kind=st.sampled_from(["connect", "read", "other"]), url=st.just(URL), message=st.just("broken")
)
outcomes = st.lists(st.one_of(responses, responses, redirects, errors), min_size=1, max_size=15)


def their_rules(rules: RetryRules) -> Theirs:
    return Theirs(
        total=rules.total,
        connect=rules.connect,
        read=rules.read,
        redirect=rules.redirect,
        status=rules.status,
        other=rules.other,
        allowed_methods=rules.allowed_methods,
        status_forcelist=rules.status_forcelist,
        backoff_factor=rules.backoff_factor,
        raise_on_redirect=rules.raise_on_redirect,
        raise_on_status=rules.raise_on_status,
        respect_retry_after_header=rules.respect_retry_after_header,
    )


def their_error(kind: str) -> Exception:
    if kind == "connect":
        return ConnectTimeoutError(None, "broken")
    if kind == "read":
        return ReadTimeoutError(None, URL, "broken")  # type: ignore[arg-type]
    return SSLError("broken")


def their_response(outcome: Outcome) -> HTTPResponse:
    headers = {} if outcome.retry_after is None else {"Retry-After": str(int(outcome.retry_after))}
    if outcome.kind == "redirect":
        headers["Location"] = "http://a/y"
    return HTTPResponse(body=b"", headers=headers, status=outcome.status)


def their_decision(theirs: Theirs, method: str, outcome: Outcome) -> tuple[str, Theirs | None, float]:
    """(again, return or raise; what is left; seconds to wait) as `HTTPConnectionPool.urlopen` uses Retry."""
    if outcome.kind in ("connect", "read", "other"):
        try:
            left = theirs.increment(method, URL, error=their_error(outcome.kind))
        except (MaxRetryError, HTTPError):
            return "raise", None, 0.0
        return "again", left, left.get_backoff_time()
    response = their_response(outcome)
    if outcome.kind == "redirect":
        try:
            left = theirs.increment(method, URL, response=response)
        except MaxRetryError:
            return ("raise" if theirs.raise_on_redirect else "return"), None, 0.0
        return "again", left, _their_retry_after(left, response) or 0.0
    if not theirs.is_retry(method, outcome.status, outcome.retry_after is not None):
        return "return", None, 0.0
    try:
        left = theirs.increment(method, URL, response=response)
    except MaxRetryError:
        return ("raise" if theirs.raise_on_status else "return"), None, 0.0
    return "again", left, _their_retry_after(left, response) or left.get_backoff_time()


def _their_retry_after(left: Theirs, response: HTTPResponse) -> float | None:
    return left.get_retry_after(response) if left.respect_retry_after_header else None


def our_word(decision: Decision, rules: RetryRules, outcome: Outcome) -> str:
    """A bad status that is simply the response is an error of the step, but no matter of retrying."""
    if isinstance(decision, Again):
        return "again"
    return "return" if type(decision).__name__ == "Give" else "raise"


def counts(left: Any) -> tuple[Any, ...]:
    return (left.total, left.connect, left.read, left.redirect, left.status, left.other)


@settings(max_examples=SEQUENCES, deadline=None)
@given(rules=rules, method=st.sampled_from(_METHODS), sequence=outcomes)
def test_every_decision_counter_and_wait_is_theirs(rules: RetryRules, method: str, sequence: list[Outcome]) -> None:
    ours: Counters = first_counters(rules)
    theirs = their_rules(rules)
    for outcome in sequence:
        outcome = Outcome(**{name: getattr(outcome, name) for name in outcome.__struct_fields__} | {"method": method})
        decision = decide(rules, ours, outcome)
        word, left, wait = their_decision(theirs, method, outcome)
        assert our_word(decision, rules, outcome) == word
        if not isinstance(decision, Again) or left is None:
            return
        assert counts(decision.counters) == counts(left)
        assert decision.wait == wait
        ours, theirs = decision.counters, left
        if outcome.kind == "redirect" and outcome.status == 303:
            method = "GET"


def test_protocol_errors_are_read_errors_for_both() -> None:
    rules = RetryRules(read=0)
    outcome = Outcome(kind="read", url=URL, message="broken")
    assert our_word(decide(rules, first_counters(rules), outcome), rules, outcome) == "raise"
    try:
        their_rules(rules).increment("GET", URL, error=ProtocolError("broken"))
    except MaxRetryError as error:
        assert isinstance(error.reason, ProtocolError)
    else:
        raise AssertionError("urllib3 would try again")
