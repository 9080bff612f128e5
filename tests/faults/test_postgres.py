"""PostgreSQL away, back, replaced by its standby, out of connections, refusing commits."""

import asyncio
import contextlib

import psycopg
import pytest

from tests.faults.cell import TWO_ENGINES, Cell, cell

# Fails some statements the way a busy server does; as deferred triggers some fail at COMMIT.
TROUBLE = """
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.01 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
  IF random() < 0.01 THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER trouble_at_once AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION trouble();
CREATE CONSTRAINT TRIGGER trouble_at_commit AFTER INSERT OR UPDATE ON executions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trouble();
"""
NO_TROUBLE = (
    "DROP TRIGGER trouble_at_once ON tasks; DROP TRIGGER trouble_at_commit ON executions; DROP FUNCTION trouble"
)


@contextlib.asynccontextmanager
async def under_load(running: Cell):  # type: ignore[no-untyped-def]
    """Executions are started all the time; the checker looks at the end."""
    await running.load.post(20)
    stop = asyncio.Event()
    posting = asyncio.create_task(running.load.keep_posting(stop))
    yield
    stop.set()
    await posting
    await running.check()


@pytest.mark.parametrize("how", ["cleanly", "by a crash"])
async def test_restarted(how: str) -> None:
    async with cell(TWO_ENGINES) as running, under_load(running):
        server = running.postgres
        await asyncio.to_thread(server.stop if how == "cleanly" else server.kill)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(server.start)
        await running.note_progress(f"PostgreSQL restarted {how}")


async def test_failed_over_to_a_standby() -> None:
    async with cell(TWO_ENGINES) as running:
        await asyncio.to_thread(running.add_standby)
        async with under_load(running):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(running.fail_over)
            await running.note_progress("failed over")


async def test_connections_exhausted() -> None:
    """Others hold every connection, and Ostro's own are ended: it waits until there are some again."""
    async with cell(TWO_ENGINES) as running, under_load(running):
        taken: list[psycopg.Connection] = []
        running.postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ostro' AND pid <> pg_backend_pid()"
        )
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(running.postgres.url(), connect_timeout=5))
        await asyncio.sleep(2)
        for connection in taken:
            connection.close()
        assert len(taken) > 20
        await running.note_progress("connections free again")


async def test_deadlocks_and_serialisation_failures() -> None:
    async with cell(TWO_ENGINES) as running, under_load(running):
        running.postgres.query(TROUBLE)
        await running.load.post(40)
        await asyncio.sleep(2)
        running.postgres.query(NO_TROUBLE)
        await running.note_progress("no trouble any more")
