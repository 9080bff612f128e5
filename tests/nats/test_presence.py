"""Who lives, and signals."""

from ostro.adapters.nats.connection import Connection
from ostro.adapters.nats.options import NatsOptions
from ostro.adapters.nats.presence import Living, Presence
from ostro.adapters.nats.signals import Signals
from tests.nats_fixtures import until


def living(name: str) -> Living:
    return Living(roles=("executor",), name=name, host="h", pid=7, version="1", labels=("gpu",), limit=5, started_at=9)


async def test_processes_hear_of_each_other_and_of_the_end(nats_options: NatsOptions) -> None:
    async with (
        Connection(nats_options, role="api", name="a") as first,
        Connection(nats_options, role="executor", name="x") as second,
        Connection(nats_options, role="executor", name="x") as third,
        Presence(first, living("a"), listen=True) as presence,
    ):
        assert presence.living() == [living("a")]
        async with Presence(second, living("x")), Presence(third, living("x")):
            await until(lambda: presence.living() == [living("a"), living("x"), living("x")])
        await until(lambda: presence.living() == [living("a")])


async def test_who_is_silent_is_forgotten(nats_options: NatsOptions, monkeypatch) -> None:
    async with (
        Connection(nats_options, role="api", name="a") as first,
        Presence(first, living("a"), listen=True) as presence,
    ):
        async with Connection(nats_options, role="executor", name="x") as second:
            await Presence(second, living("x"))._say(is_going=False)
            await second.flush()
            await until(lambda: len(presence.living()) == 2)
        monkeypatch.setattr("ostro.adapters.nats.presence._GONE_AFTER", 0.0)
        assert presence.living() == [living("a")]


async def test_signals_are_heard_by_all_who_listen(nats_options: NatsOptions) -> None:
    heard: list[str] = []
    async with (
        Connection(nats_options, role="engine", name="a") as first,
        Connection(nats_options, role="engine", name="b") as second,
    ):
        cron = await Signals(first).hear("wake.cron", lambda: heard.append("cron"))
        await Signals(second).hear("wake.outbox", lambda: heard.append("outbox"))
        await first.flush()
        await second.flush()
        Signals(second).send("wake.cron")
        Signals(second).send("wake.outbox")
        await until(lambda: sorted(heard) == ["cron", "outbox"])
        await cron.end()
        await first.flush()
        Signals(first).send("wake.cron")
        Signals(first).send("wake.outbox")
        await until(lambda: len(heard) == 3)
        assert heard.count("cron") == 1
