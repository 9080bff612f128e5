"""Cron patterns mean what they mean in Mistral."""

from datetime import UTC, datetime

import pytest

from ostro.lang.schedule import Schedule
from ostro.model.errors import InvalidInput

NOW = "2026-11-21 19:50"  # a Saturday


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def times(pattern: str, count: int, zone: str = "UTC", now: str = NOW) -> list[str]:
    schedule, at, found = Schedule(pattern, zone), micros(now), []
    for _ in range(count):
        following = schedule.next_after(at)
        assert following is not None
        at = following
        found.append(datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*/20 * * * *", ["2026-11-21 20:00", "2026-11-21 20:20"]),
        ("5/20 * * * *", ["2026-11-21 20:05", "2026-11-21 20:25"]),
        ("50 19 * * *", ["2026-11-22 19:50", "2026-11-23 19:50"]),
        ("@hourly", ["2026-11-21 20:00", "2026-11-21 21:00"]),
        ("@daily", ["2026-11-22 00:00", "2026-11-23 00:00"]),
        ("@Weekly", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("@yearly", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("0 0 * jan,MAR mon", ["2027-01-04 00:00", "2027-01-11 00:00"]),
        ("0 0 * * 7", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("0 0 ? * 0", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("0 0 L * *", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("0 0 * * fri#2", ["2026-12-11 00:00", "2027-01-08 00:00"]),
    ],
)
def test_when_a_pattern_matches(pattern: str, expected: list[str]) -> None:
    assert times(pattern, len(expected)) == expected


def test_day_of_month_or_day_of_week_is_enough_if_both_are_restricted() -> None:
    assert times("0 0 1 * 1", 3) == ["2026-11-23 00:00", "2026-11-30 00:00", "2026-12-01 00:00"]
    assert times("0 0 */10 * 1", 3) == ["2026-11-23 00:00", "2026-11-30 00:00", "2026-12-01 00:00"]


def test_ranges_may_wrap() -> None:
    assert times("0 22-1 * * *", 4) == ["2026-11-21 22:00", "2026-11-21 23:00", "2026-11-22 00:00", "2026-11-22 01:00"]
    assert times("0 0 * * fri-mon", 3) == ["2026-11-22 00:00", "2026-11-23 00:00", "2026-11-27 00:00"]
    assert times("0 0 * * 7-1", 2) == ["2026-11-22 00:00", "2026-11-23 00:00"]


def test_a_zone_moves_the_times_and_summer_time_neither_loses_nor_doubles_them() -> None:
    assert times("0 9 * * *", 1, "Europe/Berlin") == ["2026-11-22 08:00"]
    assert times("30 2 * * *", 3, "Europe/Berlin", "2027-03-27 00:00") == [
        "2027-03-27 01:30",
        "2027-03-28 01:00",  # 02:30 does not exist: at the change
        "2027-03-29 00:30",
    ]
    assert times("30 2 * * *", 2, "Europe/Berlin", "2027-10-30 12:00") == ["2027-10-31 00:30", "2027-11-01 01:30"]


@pytest.mark.parametrize(
    "pattern",
    ["", "bad", "* * * *", "* * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "*/0 * * * *", "1- * * * *", "@never", "0 0 30 2 *", "٣ * * * *", "1,,2 * * * *"],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="The specified pattern is not valid"):
        Schedule(pattern)


@pytest.mark.parametrize("zone", ["Nowhere/Land", "", "../../etc/passwd", "Europe"])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        Schedule("* * * * *", zone)


def test_the_end_of_time_is_no_match() -> None:
    assert Schedule("* * * * *").next_after(micros("9999-12-31 00:00")) is None
