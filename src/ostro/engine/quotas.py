"""This process's quotas of limits: how many places it may give out, and what it has said about them.

Guarantees: no more places are given out than the database holds for this process, also while it is being asked.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from ostro.model.quotas import Report, Settlement, Use

_IDLE: Final = 30.0  # seconds without use until a quota is given up


class QuotaBook:
    """`wake` is called when the database should be asked soon."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._quotas: dict[str, int] = {}
        self._said: dict[str, Use] = {}
        self._wanted: frozenset[str] = frozenset()  # others wait for places of these
        self._used_at: dict[str, float] = {}

    def quota(self, limit: str) -> int:
        return self._quotas.get(limit, 0)

    def waits(self, limits: tuple[str, ...]) -> None:
        """Somebody waits for a place. Others learn of it at once if they do not know that there are some."""
        if not self._is_said(limits[0]):
            self.wake()

    def _is_said(self, limit: str) -> bool:
        said = self._said.get(limit)
        return said is not None and said.waiting > 0

    def freed(self, limit: str, used: int) -> None:
        """A place was left. If it is not for this process to give out again others should get it at once."""
        if limit in self._wanted and used >= self.quota(limit):
            self.wake()

    def others_want(self) -> None:
        """A signal came: from now on nothing is kept that is not in use, until it is known who waits for what."""
        self._wanted |= self._quotas.keys()
        self.wake()

    def uses(
        self, in_use: Mapping[str, tuple[int, int, int]], moving: Collection[str], most: Mapping[str, int], now: float
    ) -> tuple[dict[str, Use], list[str]]:
        """What to say, and what to give up. `moving`: limits of which places are on their way to another engine, with a
        shard: the answer may be that it has them. These, and what others want, are not given out until it is here."""
        found = {}
        given_up = []
        for limit in {**self._said, **in_use}:
            used, waiting, oldest = in_use.get(limit, (0, 0, 0))
            if used or waiting:
                self._used_at[limit] = now
            elif now - self._used_at.get(limit, now - _IDLE) >= _IDLE:
                given_up.append(limit)
                self._quotas.pop(limit, None)
                continue
            kept = self.quota(limit)
            if limit in self._wanted or limit in moving:
                self._quotas[limit], kept = min(kept, used), 0
            found[limit] = self._said[limit] = Use(most[limit], used, kept, waiting, oldest)
        return found, given_up

    def answered(self, report: Report, answer: Settlement) -> None:
        for limit in report.given_up:
            self._said.pop(limit, None)
            self._used_at.pop(limit, None)
        self._quotas.update(answer.quotas)
        self._wanted = answer.wanted
        # What was kept for the time of asking, and others wait for: soon again.
        if any(report.uses[limit].kept > report.uses[limit].used for limit in answer.wanted):
            self.wake()

    def look_again(self, in_use: Mapping[str, tuple[int, int, int]]) -> None:
        """After the places were given out: somebody may wait for the next limit now."""
        if any(waiting and not self._is_said(limit) for limit, (_, waiting, _) in in_use.items()):
            self.wake()

    def lose_all(self) -> None:
        """The lease is gone."""
        for known in (self._quotas, self._said, self._used_at):
            known.clear()
        self._wanted = frozenset()
