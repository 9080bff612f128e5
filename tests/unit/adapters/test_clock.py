"""The database's time, whatever this host's clock says."""

import time

import pytest

from ostro.adapters import clock as clocks
from ostro.adapters.clock import DatabaseClock
from ostro.model.errors import StoreError
from tests.unit.engine.waiting import until

HOUR = 3_600_000_000  # microseconds


async def test_it_shows_the_databases_time() -> None:
    async def offset() -> int:
        return HOUR

    async with DatabaseClock(offset) as clock:
        before = time.time_ns() // 1000
        assert before + HOUR - 10_000 <= clock.now() <= time.time_ns() // 1000 + HOUR + 10_000


async def test_setting_the_hosts_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def offset() -> int:
        return 0

    async with DatabaseClock(offset) as clock:
        before = clock.now()
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + HOUR * 1000)
        assert clock.now() < before + HOUR // 2


async def test_it_is_measured_again_and_survives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_MEASURE_EVERY", 0.001)
    answers: list[int | Exception] = [0, StoreError("away"), HOUR]

    async def offset() -> int:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with DatabaseClock(offset) as clock:

        async def is_an_hour_ahead() -> bool:
            return clock.now() > time.time_ns() // 1000 + HOUR // 2

        await until(is_an_hour_ahead)
