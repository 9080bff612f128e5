"""When to try an HTTP call again: a pure function of rules, counters and outcome.

Equal to urllib3's `Retry` (2.x) in every decision, counter and wait, but for what is decided otherwise for Ostro:
an empty `allowed_methods` retries nothing, and `Retry-After: 0` waits 0 seconds instead of the backoff.
"""

from typing import Any, Final, Literal

import msgspec

from ostro.model.automation import RetryRules

CONNECT: Final = "connect"  # nothing has reached the server
READ: Final = "read"  # the server may have begun
OTHER: Final = "other"
REDIRECT: Final = "redirect"  # a redirect that was not followed
RESPONSE: Final = "response"  # any other response
FATAL: Final = "fatal"  # trying again would not help: a refused address, a bad URL
LIMITED: Final = "limited"  # nothing was sent: the host's limits ask to come again after `retry_after`

Kind = Literal["connect", "read", "other", "redirect", "response", "fatal", "limited"]

LONGEST_BACKOFF: Final = 120.0  # seconds
LONGEST_RETRY_AFTER: Final = 6 * 3600.0  # seconds
_RETRY_AFTER_STATUSES: Final = frozenset({413, 429, 503})


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is left of each count, and `n`, the failures in a row since the last redirect."""

    total: int | None = None  # or False
    connect: int | None = None
    read: int | None = None
    redirect: int | None = None
    status: int | None = None
    other: int | None = None
    n: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. `retry_after`: seconds that the response asks to wait, None without such a header (or with
    one that cannot be read); of an open circuit breaker (a connect outcome) or a limit, until it is worth trying.
    `message`: the cause of a connect, read, other, fatal or limited outcome."""

    kind: Kind
    method: str = "GET"
    url: str = ""
    status: int = 0
    retry_after: float | None = None
    message: str = ""


class Again(msgspec.Struct, frozen=True):
    """Try again after `wait` seconds."""

    wait: float
    counters: Counters


class Give(msgspec.Struct, frozen=True):
    """The response is the result: a success by its status, or because the rules do not raise."""

    is_success: bool
    message: str = ""  # of a failure


class GiveUp(msgspec.Struct, frozen=True):
    """The call has failed. `message` names URL and cause."""

    message: str


Decision = Again | Give | GiveUp


def first_counters(rules: RetryRules) -> Counters:
    """Before the first attempt."""
    return Counters(
        total=rules.total,
        connect=rules.connect,
        read=rules.read,
        redirect=0 if rules.total is False else rules.redirect,
        status=rules.status,
        other=rules.other,
    )


def counters_of(data: dict[str, Any]) -> Counters:
    """From what `to_builtins` made of them."""
    return Counters(**data)


def charged(counters: Counters, kind: str) -> Counters | None:
    """The counters after one more retry or redirect of a kind ("status" for a response); None if one is exhausted."""
    total = None if counters.total is None else counters.total - 1
    own = getattr(counters, kind)
    n = 0 if kind == REDIRECT else counters.n + 1
    changed = msgspec.structs.replace(counters, total=total, n=n)
    if own is not None:
        changed = msgspec.structs.replace(changed, **{kind: own - 1})
    counts = (changed.total, changed.connect, changed.read, changed.redirect, changed.status, changed.other)
    return None if any(count is not None and count < 0 for count in counts) else changed


def backoff(rules: RetryRules, counters: Counters) -> float:
    """Seconds to wait after `counters.n` failures in a row."""
    if counters.n <= 1:
        return 0.0
    exponent = min(counters.n - 1, 1023)
    return max(0.0, min(LONGEST_BACKOFF, rules.backoff_factor * 2.0**exponent))


def is_retryable_method(rules: RetryRules, method: str) -> bool:
    return rules.allowed_methods is None or method.upper() in rules.allowed_methods


def is_retried_status(rules: RetryRules, counters: Counters, outcome: Outcome) -> bool:
    """Whether a response is to be had again."""
    if not is_retryable_method(rules, outcome.method):
        return False
    if outcome.status in rules.status_forcelist:
        return True
    return bool(
        counters.total
        and rules.respect_retry_after_header
        and outcome.retry_after is not None
        and outcome.status in _RETRY_AFTER_STATUSES
    )


def decide(rules: RetryRules, counters: Counters, outcome: Outcome) -> Decision:
    """What follows an attempt that ended with `outcome`; `counters` are from before it, redirects that it followed
    already charged."""
    kind = outcome.kind
    if kind == FATAL:
        return GiveUp(outcome.message)
    if kind == LIMITED:
        return Again(max(0.0, outcome.retry_after or 0.0), counters)
    if kind in (CONNECT, READ, OTHER):
        return _after_error(rules, counters, outcome)
    if kind == REDIRECT:
        left = charged(counters, REDIRECT)
        if left is None:
            if rules.raise_on_redirect and rules.total is not False:
                return GiveUp(_exhausted(outcome, "too many redirects"))
            return Give(is_success=True)
        return Again(_retry_after(rules, outcome) or 0.0, left)
    if is_retried_status(rules, counters, outcome):
        left = charged(counters, "status")
        if left is not None:
            asked = _retry_after(rules, outcome)
            return Again(backoff(rules, left) if asked is None else asked, left)
        if rules.raise_on_status:
            return GiveUp(_exhausted(outcome, f"too many {outcome.status} error responses"))
    if outcome.status < 400 or not rules.raise_on_status:
        return Give(is_success=True)
    return Give(is_success=False, message=f"The response has status {outcome.status} [url={outcome.url}]")


def _after_error(rules: RetryRules, counters: Counters, outcome: Outcome) -> Decision:
    if rules.total is False or (outcome.kind == READ and not is_retryable_method(rules, outcome.method)):
        return GiveUp(outcome.message)
    left = charged(counters, outcome.kind)
    if left is None:
        return GiveUp(_exhausted(outcome, outcome.message))
    return Again(max(backoff(rules, left), outcome.retry_after or 0.0), left)


def _retry_after(rules: RetryRules, outcome: Outcome) -> float | None:
    if not rules.respect_retry_after_header or outcome.retry_after is None:
        return None
    return max(0.0, min(LONGEST_RETRY_AFTER, outcome.retry_after))


def _exhausted(outcome: Outcome, cause: str) -> str:
    return f"Max retries exceeded with url: {outcome.url} (Caused by {cause})"
