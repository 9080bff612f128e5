"""What nobody will ask for any more goes, after its time."""

from typing import Any

import pytest

from ostro.engine import upkeep
from ostro.engine.upkeep import Upkeep, UpkeepSettings
from ostro.testing.clock import VirtualClock

HOUR = 3_600_000_000


class Rows:
    """Has so many old rows of each kind, and notes up to which time it was asked to delete."""

    def __init__(self, replies: int, audit: int, workflows: int) -> None:
        self.left = {"replies": replies, "audit": audit}
        self.workflows = workflows
        self.before: dict[str, int] = {}
        self.most = 0

    async def _scrap(self, name: str, before: int, limit: int) -> int:
        self.before[name] = before
        gone = min(limit, self.left[name])
        self.left[name] -= gone
        self.most = max(self.most, gone) if name == "audit" else self.most
        return gone

    async def scrap_replies(self, before: int, limit: int) -> int:
        return await self._scrap("replies", before, limit)

    async def scrap_audit(self, before: int, limit: int) -> int:
        return await self._scrap("audit", before, limit)

    async def scrap_revisions(self, keep: int, before: int, after: str, limit: int) -> tuple[int, str | None]:
        self.before["revisions"] = before
        done = int(after or 0) + limit
        return 1, str(done) if done < self.workflows else None


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_BETWEEN_SECONDS", 0)


async def run(rows: Any, **settings: Any) -> tuple[Upkeep, VirtualClock]:
    clock = VirtualClock()
    duty = Upkeep(rows, clock, UpkeepSettings(**settings))
    await duty.run()
    return duty, clock


async def test_all_that_is_old_goes_in_bounded_batches() -> None:
    rows = Rows(1234, 777, 120)
    duty, clock = await run(rows)
    assert rows.left == {"replies": 0, "audit": 0}
    assert rows.most == 500
    assert duty.counters == {"replies": 1234, "audit": 777, "revisions": 3}
    ago = {name: (clock.now() - before) // HOUR for name, before in rows.before.items()}
    assert ago == {"replies": 24, "audit": 365 * 24, "revisions": 24}


async def test_zero_keeps_for_ever() -> None:
    rows = Rows(5, 5, 5)
    duty, _ = await run(rows, reply_hours=0, audit_days=0, revisions=0)
    assert rows.before == {}
    assert set(duty.counters.values()) == {0}
