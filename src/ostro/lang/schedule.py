"""Cron patterns: five fields or a word such as @hourly, in a time zone.

Guarantees croniter's reading of them, which is Mistral's: where neither day-of-month nor day-of-week is `*` a day
that matches either one matches (`*/2` is not `*`); ranges may wrap (`22-2`, `FRI-MON`); 7 is Sunday. In zones with
summer time a fixed time of day that does not exist is moved to the moment of the change, and one that comes twice
happens once, as in Debian's cron.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from ostro.model.errors import InvalidInput

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LATEST: Final = 253_370_764_800_000_000  # the year 9999 begins: what comes later cannot be told as a date

_WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY: Final = 7  # besides 0
# first and last value and the names, per field
_FIELDS: Final[tuple[tuple[int, int, tuple[str, ...]], ...]] = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    (0, 6, _WEEKDAYS),
)
_RANGE: Final = re.compile(r"(\w+)-(\w+)(?:/(\d+))?")
_DAY, _WEEKDAY = 2, 4


class Schedule:
    """When a pattern matches. Raises InvalidInput for a pattern or a zone that does not exist."""

    def __init__(self, pattern: str, time_zone: str = "UTC") -> None:
        self.pattern = pattern
        self._zone = _zone(time_zone)
        parts = _fields(pattern)
        self._fields = " ".join(parts)
        self._is_any_day = "*" in (parts[_DAY], parts[_WEEKDAY])
        try:
            self._from(_EPOCH)
        except (CronSimError, ValueError):
            raise _invalid(pattern) from None

    def _from(self, moment: datetime) -> CronSim:
        found = CronSim(self._fields, moment.astimezone(self._zone))
        found.day_and = self._is_any_day
        return found

    def next_after(self, now: int) -> int | None:
        """The first match after a time (both microseconds since the epoch); None if there is none."""
        if now >= _LATEST:
            return None
        moment = _EPOCH + timedelta(microseconds=now)
        try:
            found = next(self._from(moment)).astimezone(UTC)
        except (StopIteration, OverflowError):
            return None
        return (found - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def schedule(pattern: str, time_zone: str = "UTC") -> Schedule:
    """As `Schedule`, kept for the next time."""
    return Schedule(pattern, time_zone)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise InvalidInput(f"There is no time zone '{name}'. Name one as in Europe/Berlin.") from None


def _invalid(pattern: str) -> InvalidInput:
    return InvalidInput(f"The specified pattern is not valid: {pattern}")


def _fields(pattern: str) -> list[str]:
    """The five fields as the library reads them: wrapping ranges written out, `?` as `*`."""
    parts = _WORDS.get(pattern.strip().lower(), pattern).upper().split()
    if len(parts) != len(_FIELDS) or not pattern.isascii():
        raise _invalid(pattern)
    for place in (_DAY, _WEEKDAY):
        if parts[place] == "?":
            parts[place] = "*"
    try:
        return [_unwrapped(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    except ValueError:
        raise _invalid(pattern) from None


def _unwrapped(part: str, first: int, last: int, names: tuple[str, ...]) -> str:
    terms = []
    for term in part.split(","):
        found = _RANGE.fullmatch(term)
        if found is not None:
            begin, end = (_number(text, first, names) for text in found.group(1, 2))
            if names is _WEEKDAYS and begin == _SUNDAY and end < _SUNDAY:
                begin = 0
                term = f"{begin}-{end}" + (f"/{found[3]}" if found[3] else "")
            if begin > end and begin <= last:
                step = int(found[3] or 1)
                values = [*range(begin, last + 1), *range(first, end + 1)][::step]
                term = ",".join(map(str, values))
        terms.append(term)
    return ",".join(terms)


def _number(text: str, first: int, names: tuple[str, ...]) -> int:
    return names.index(text) + first if text in names else int(text)
