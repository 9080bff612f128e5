"""Limits per host: requests per second, requests in flight, and a circuit breaker. Pure: time is an argument.

Guarantees: a host never gets more requests per second, or at once, than its rule says; a caller that has to wait is
told when, and its place is kept (a slot promised to a ticket is given to nobody else); while a breaker is open one
probe at a time reaches the host. A host that was not known before begins with one token, so that what piled up while
Ostro was down leaves at the host's rate.
"""

import fnmatch
import heapq
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

GRACE: Final = 30.0  # seconds for which a promised slot is kept after its time
EARLY: Final = 0.05  # seconds by which a ticket may come before its slot: timers are not exact
_WINDOW: Final = 20  # calls that the breaker's ratio looks at
_LONGEST_OPEN: Final = 10  # an open time grows up to this many times its first length
_PROBING: Final = 1.0  # seconds after which to ask again while a probe is under way
_MOST_HOSTS: Final = 10_000

Ended = Literal["good", "bad", "unknown"]


class HostRule(msgspec.Struct, frozen=True, kw_only=True):
    """What hosts that match `pattern` (of `host` or `host:port`) are spared. 0 means no such limit.

    `rate`: requests per second; `burst`: how many of them may come at once after a pause. `failures`: bad calls in a
    row that open the breaker; `ratio`: share of bad ones among the last 20. `open`: seconds that it stays open at
    first; each failed probe doubles it.
    """

    pattern: str
    rate: float = 0.0
    burst: int = 1
    in_flight: int = 0
    failures: int = 0
    ratio: float = 0.0
    open: float = 30.0


class Wait(msgspec.Struct, frozen=True):
    """Not now. `seconds` until it is worth asking again; `is_broken`: the breaker is open (which counts as a failure
    to connect, else a call could wait for ever); `is_full`: a place may be free earlier; `reason` for people."""

    seconds: float
    reason: str
    is_broken: bool = False
    is_full: bool = False


class Permit(msgspec.Struct, eq=False):
    """One request may be sent. Give it back with `Limits.done`."""

    host: str
    began: float
    is_probe: bool = False


class BreakerState(msgspec.Struct, frozen=True):
    """What is kept of an open breaker over a restart. `left`: seconds that it is still open; `length`: of this time."""

    left: float
    length: float


def parse_rule(text: str) -> HostRule:
    """`*.example.com;rate=10;burst=20;in-flight=4;failures=5;ratio=0.5;open=30`. Raises ValueError."""
    pattern, *settings = [part.strip() for part in text.split(";") if part.strip()] or [""]
    if not pattern or "=" in pattern:
        raise ValueError(f"'{text}' has no host in front, as in *.example.com;rate=10")
    values: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in HostRule.__struct_fields__ or name == "pattern":
            raise ValueError(f"'{setting}' is none of rate=, burst=, in-flight=, failures=, ratio=, open=")
        values[name] = value.strip()
    try:
        rule = msgspec.convert({"pattern": pattern.lower(), **values}, HostRule, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"'{text}': {error}") from None
    if min(rule.rate, rule.in_flight, rule.failures, rule.ratio) < 0 or rule.burst < 1 or rule.open <= 0:
        raise ValueError(f"'{text}': limits are not negative, burst is at least 1, open more than 0")
    if rule.ratio > 1:
        raise ValueError(f"'{text}': ratio is from 0 to 1")
    return rule


class Limits:
    """The hosts of one process. All times are monotonic seconds."""

    def __init__(self, rules: Sequence[HostRule]) -> None:
        self._rules = tuple(rules)
        self._hosts: dict[str, _Host | None] = {}
        self.opened = 0  # changes of breakers so far: what to look at to know whether to keep `states`

    def admit(self, host: str, ticket: str, now: float) -> Permit | Wait | None:
        """A permit, or when to come again; None if the host has no limits. `host`: as `name:port`, lower case.
        `ticket`: the same when the same caller comes again, so that it gets the slot it was promised."""
        state = self._state(host, now)
        return None if state is None else state.admit(ticket, now)

    def done(self, permit: Permit, ended: Ended, now: float) -> None:
        """The request has ended: `bad` if the host could not be reached or answered with a server error; `unknown`
        if it was given up without an answer. Frees its place."""
        state = self._hosts.get(permit.host)
        if state is not None and state.done(permit, ended, now):
            self.opened += 1

    def typical(self, host: str) -> float:
        """Seconds that a request to this host takes, about."""
        state = self._hosts.get(host)
        return 0.0 if state is None else state.typical

    def states(self, now: float) -> dict[str, BreakerState]:
        """Breakers that are not closed, by host."""
        found = {}
        for name, state in self._hosts.items():
            if state is not None and state.breaker.is_open:
                breaker = state.breaker
                found[name] = BreakerState(max(0.0, breaker.until - now), breaker.length)
        return found

    def restore(self, states: dict[str, BreakerState], now: float) -> None:
        """Open the breakers that were open. Hosts without a breaker rule any more are left alone."""
        for name, kept in states.items():
            state = self._state(name, now)
            if state is not None and state.breaker.is_used:
                state.breaker.reopen(kept, now)

    def _state(self, host: str, now: float) -> "_Host | None":
        try:
            return self._hosts[host]
        except KeyError:
            if len(self._hosts) >= _MOST_HOSTS:
                self._hosts = {n: s for n, s in self._hosts.items() if s is not None and not s.is_idle(now)}
            rule = next((rule for rule in self._rules if _matches(rule.pattern, host)), None)
            self._hosts[host] = None if rule is None else _Host(host, rule, now)
            return self._hosts[host]


def _matches(pattern: str, host: str) -> bool:
    return fnmatch.fnmatchcase(host, pattern) or fnmatch.fnmatchcase(host.rpartition(":")[0], pattern)


class _Host:
    """One host under one rule."""

    def __init__(self, name: str, rule: HostRule, now: float) -> None:
        self._name = name
        self._most = rule.in_flight
        self._bucket = Bucket(rule.rate, rule.burst, now) if rule.rate else None
        self.breaker = Breaker(rule)
        self._flying = 0
        self._queue = 0.0  # time for which places were promised to those that found none free
        self.typical = 0.1

    def is_idle(self, now: float) -> bool:
        return not self._flying and not self.breaker.is_open and (self._bucket is None or self._bucket.is_idle(now))

    def admit(self, ticket: str, now: float) -> Permit | Wait:
        closed_for = self.breaker.closed_to(now)
        if closed_for > 0:
            is_broken = not self.breaker.is_probing
            what = "open" if is_broken else "being probed"
            return Wait(closed_for, f"The circuit breaker of {self._name} is {what}", is_broken=is_broken)
        if self._most and self._flying >= self._most:
            self._queue = max(self._queue, now) + self.typical / self._most
            return Wait(self._queue - now, f"{self._most} requests to {self._name} are in flight", is_full=True)
        if self._bucket is not None:
            wait = self._bucket.take(ticket, now)
            if wait > 0:
                return Wait(wait, f"The rate of requests to {self._name} is limited")
        self._flying += 1
        return Permit(self._name, now, self.breaker.begin())

    def done(self, permit: Permit, ended: Ended, now: float) -> bool:
        self._flying -= 1
        if ended != "unknown":
            self.typical += 0.2 * (now - permit.began - self.typical)
        return self.breaker.end(ended, permit.is_probe, now)


class Bucket:
    """So many per second, evenly, with a burst after a pause. Slots that were promised are kept for their tickets."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._gap = 1.0 / rate
        self._slack = (burst - 1) * self._gap
        self._next = now + self._slack  # begins with one token, not with a full bucket
        self._promised: dict[str, list[float]] = {}  # ticket -> heap of slots

    def is_idle(self, now: float) -> bool:
        return self._next + GRACE < now

    def take(self, ticket: str, now: float) -> float:
        """0: go. Else seconds until a slot that is now kept for this ticket."""
        slots = self._promised.get(ticket)
        while slots and slots[0] <= now + EARLY:
            slot = heapq.heappop(slots)
            if slot + GRACE >= now:
                self._tidy(ticket, slots)
                return 0.0
        self._tidy(ticket, slots)
        start = self._next - self._slack
        self._next = max(self._next, now) + self._gap
        if start <= now + 1e-6:  # a rounding error is no wait
            return 0.0
        heapq.heappush(self._promised.setdefault(ticket, []), start)
        if len(self._promised) > _MOST_HOSTS:
            self._drop_old(now)
        return start - now

    def _tidy(self, ticket: str, slots: list[float] | None) -> None:
        if slots is not None and not slots:
            self._promised.pop(ticket, None)

    def _drop_old(self, now: float) -> None:
        self._promised = {t: s for t, s in self._promised.items() if s[-1] + GRACE >= now or s[0] + GRACE >= now}


class Breaker:
    """Closed: calls pass. Open: none do. Then half open: one probe at a time, which closes it or opens it again."""

    def __init__(self, rule: HostRule) -> None:
        self._failures = rule.failures
        self._ratio = rule.ratio
        self._first = rule.open
        self._row = 0
        self._recent: deque[bool] = deque(maxlen=_WINDOW)  # True: bad
        self.is_probing = False
        self.is_used = bool(rule.failures or rule.ratio)
        self.is_open = False  # or half open
        self.until = 0.0
        self.length = rule.open

    def closed_to(self, now: float) -> float:
        """Seconds for which no call may pass; 0 if one may."""
        if not self.is_open:
            return 0.0
        if now < self.until:
            return self.until - now
        return _PROBING if self.is_probing else 0.0

    def begin(self) -> bool:
        """A call passes. Whether it is the probe."""
        if self.is_open:
            self.is_probing = True
        return self.is_open

    def end(self, ended: Ended, is_probe: bool, now: float) -> bool:
        """A call has ended. Whether that opened or closed the breaker."""
        if not self.is_used:
            return False
        if is_probe:
            return self._end_probe(ended, now)
        if self.is_open or ended == "unknown":
            return False  # it began before the breaker opened: the probe decides
        self._row = self._row + 1 if ended == "bad" else 0
        self._recent.append(ended == "bad")
        if not self._is_too_bad():
            return False
        self._open(self._first, now)
        return True

    def reopen(self, kept: BreakerState, now: float) -> None:
        """As it was before a restart."""
        longest = self._first * _LONGEST_OPEN
        self._open(min(kept.length, longest), now)
        self.until = now + min(kept.left, longest)

    def _end_probe(self, ended: Ended, now: float) -> bool:
        self.is_probing = False
        if ended == "unknown":
            return False
        if ended == "bad":
            self._open(min(self.length * 2, self._first * _LONGEST_OPEN), now)
        else:
            self.is_open = False
        return True

    def _open(self, length: float, now: float) -> None:
        self.is_open, self.until, self.length = True, now + length, length
        self._row = 0
        self._recent.clear()

    def _is_too_bad(self) -> bool:
        if self._failures and self._row >= self._failures:
            return True
        return bool(self._ratio) and len(self._recent) == _WINDOW and sum(self._recent) >= self._ratio * _WINDOW
