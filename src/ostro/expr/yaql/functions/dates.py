"""Dates and time spans. Times without a zone are UTC; now() is the host's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dateutil import tz
from yaql.standard_library import date_time as library

from ostro.expr.yaql.registry import Run, implements
from ostro.model.errors import ExpressionError

_ZERO: Final = timedelta()
_UTC: Final = tz.tzutc()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DATE_TEXT: Final = 256  # characters; parsing costs more than linear time
_FIELDS: Final = ("year", "month", "day", "hour", "minute", "second", "microsecond", "offset")
_MICROSECOND: Final = timedelta(microseconds=1)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=_UTC) if moment.tzinfo is None else moment


def _zone(offset: timedelta | None) -> Any:
    if offset is None:
        return None
    return _UTC if offset == _ZERO else tz.tzoffset(None, offset.total_seconds())


@implements("date_time.build_datetime")
def build_datetime(
    run: Run,
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    microsecond: int = 0,
    offset: timedelta = _ZERO,
) -> datetime:
    return datetime(year, month, day, hour, minute, second, microsecond, _zone(offset))


@implements("date_time.datetime_from_timestamp")
def datetime_from_timestamp(run: Run, timestamp: float, offset: timedelta = _ZERO) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=_zone(offset))


@implements("date_time.datetime_from_string")
def datetime_from_string(run: Run, string: str, format__: str | None = None) -> datetime:
    if max(len(string), len(format__ or "")) > _MAX_DATE_TEXT:
        raise ExpressionError(f"a text for datetime() has at most {_MAX_DATE_TEXT} characters")
    run.tick(64)
    result: datetime = library.datetime_from_string(string, format__)
    return result


@implements("date_time.build_timespan")
def build_timespan(
    run: Run,
    days: int = 0,
    hours: int = 0,
    minutes: int = 0,
    seconds: int = 0,
    milliseconds: int = 0,
    microseconds: int = 0,
) -> timedelta:
    return timedelta(
        days=days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        milliseconds=milliseconds,
        microseconds=microseconds,
    )


@implements("date_time.now")
def now(run: Run, offset: Any = _ZERO) -> datetime:
    if run.scope.host is None:
        raise ExpressionError("now() is only available inside a workflow")
    if offset is not None and not isinstance(offset, timedelta):
        raise TypeError(f"the offset of now() is a timespan, not {type(offset).__name__}")
    return (_EPOCH + timedelta(microseconds=run.scope.host.now_us())).astimezone(_zone(offset))


@implements("date_time.localtz")
def localtz(run: Run) -> timedelta:
    result: timedelta = library.localtz()
    return result


@implements("date_time.utctz")
def utctz(run: Run) -> timedelta:
    return _ZERO


def _sum(run: Run, left: Any, right: Any) -> Any:
    return _if_moment(left) + _if_moment(right)


def _difference(run: Run, left: Any, right: Any) -> Any:
    return _if_moment(left) - _if_moment(right)


def _if_moment(value: Any) -> Any:
    return _aware(value) if isinstance(value, datetime) else value


implements("date_time.datetime_plus_timespan", "date_time.timespan_plus_datetime", "date_time.timespan_plus_timespan")(
    _sum
)
implements(
    "date_time.datetime_minus_timespan", "date_time.datetime_minus_datetime", "date_time.timespan_minus_timespan"
)(_difference)
implements("date_time.datetime_lt_datetime")(lambda run, left, right: _aware(left) < _aware(right))
implements("date_time.datetime_lte_datetime")(lambda run, left, right: _aware(left) <= _aware(right))
implements("date_time.datetime_gt_datetime")(lambda run, left, right: _aware(left) > _aware(right))
implements("date_time.datetime_gte_datetime")(lambda run, left, right: _aware(left) >= _aware(right))


def _us(span: timedelta) -> int:
    return span // _MICROSECOND


@implements("date_time.timespan_by_num")
def timespan_by_num(run: Run, ts: timedelta, n: float) -> timedelta:
    return timedelta(microseconds=_us(ts) * n)


@implements("date_time.num_by_timespan")
def num_by_timespan(run: Run, n: float, ts: timedelta) -> timedelta:
    return timespan_by_num(run, ts, n)


@implements("date_time.div_timespans")
def div_timespans(run: Run, ts1: timedelta, ts2: timedelta) -> float:
    return (0.0 + _us(ts1)) / _us(ts2)


@implements("date_time.div_timespan_by_num")
def div_timespan_by_num(run: Run, ts: timedelta, n: float) -> timedelta:
    return timedelta(microseconds=_us(ts) / n)


implements("date_time.negative_timespan")(lambda run, ts: -ts)
implements("date_time.positive_timespan")(lambda run, ts: ts)
implements("date_time.is_datetime")(lambda run, value: isinstance(value, datetime))
implements("date_time.is_timespan")(lambda run, value: isinstance(value, timedelta))


@implements("date_time.replace")
def replace(run: Run, dt: datetime, *args: Any, **parts: Any) -> datetime:
    """`args` and `parts`: year, month, day, hour, minute, second, microsecond, offset; null keeps it."""
    given = dict(zip(_FIELDS, args, strict=False)) | parts
    fields = {name: part for name, part in given.items() if part is not None}
    if "offset" in fields:
        fields["tzinfo"] = _zone(fields.pop("offset"))
    return _aware(dt).replace(**fields)


@implements("date_time.format_")
def format_(run: Run, dt: datetime, format__: str) -> str:
    if len(format__) > _MAX_DATE_TEXT or _has_width(format__):
        raise ExpressionError(f"a date format has at most {_MAX_DATE_TEXT} characters and no widths")
    return _aware(dt).strftime(format__)


def _has_width(pattern: str) -> bool:
    """`%999999999d` makes the C library write that many characters."""
    directives = pattern.replace("%%", "").split("%")[1:]
    return any(part.lstrip("_-0^#+")[:1].isdigit() for part in directives)


def _days_start(dt: datetime) -> datetime:
    return datetime(dt.year, dt.month, dt.day, tzinfo=dt.tzinfo)


def _in_utc(dt: datetime) -> datetime:
    return dt - (dt.utcoffset() or _ZERO)


PROPERTIES: Final[dict[str, tuple[type, Callable[[Any], Any]]]] = {
    "microseconds": (timedelta, _us),
    "milliseconds": (timedelta, lambda span: _us(span) / 1000.0),
    "seconds": (timedelta, lambda span: _us(span) / 1000000.0),
    "minutes": (timedelta, lambda span: _us(span) / 60000000.0),
    "hours": (timedelta, lambda span: _us(span) / 3600000000.0),
    "days": (timedelta, lambda span: _us(span) / 86400000000.0),
    "year": (datetime, lambda dt: dt.year),
    "month": (datetime, lambda dt: dt.month),
    "day": (datetime, lambda dt: dt.day),
    "hour": (datetime, lambda dt: dt.hour),
    "minute": (datetime, lambda dt: dt.minute),
    "second": (datetime, lambda dt: dt.second),
    "microsecond": (datetime, lambda dt: dt.microsecond),
    "weekday": (datetime, lambda dt: dt.weekday()),
    "date": (datetime, lambda dt: _days_start(_aware(dt))),
    "time": (datetime, lambda dt: _aware(dt) - _days_start(_aware(dt))),
    "utc": (datetime, lambda dt: _in_utc(_aware(dt))),
    "offset": (datetime, lambda dt: dt.utcoffset() or _ZERO),
    "timestamp": (datetime, lambda dt: (_in_utc(_aware(dt)) - _EPOCH).total_seconds()),
}
