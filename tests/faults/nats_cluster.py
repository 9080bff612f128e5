"""Three nats-servers that keep each stream three times, on ports that stay the same."""

import asyncio
from pathlib import Path
from typing import Any

import nats

from tests.faults.servers import PATIENCE, Nats
from tests.ports import free_port

SERVERS = 3
_TRY = 2.0  # seconds for one answer of a server


class _Member(Nats):
    """`routes`: the ports by which the members reach each other, its own first."""

    def __init__(self, folder: Path, name: str, routes: list[int]) -> None:
        urls = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes[1:])
        cluster = f"cluster {{ name: test, host: 127.0.0.1, port: {routes[0]}, routes: [{urls}] }}"
        super().__init__(folder / name, f"server_name: {name}\n{cluster}")
        self.name = name


class NatsCluster:
    """Stands where a `Nats` stands. `kill` and `start` are about all that run, or do not."""

    def __init__(self, folder: Path) -> None:
        ports = [free_port() for _ in range(SERVERS)]
        self.members = [_Member(folder, f"n{number}", [*ports[number:], *ports[:number]]) for number in range(SERVERS)]

    @property
    def url(self) -> str:
        return ",".join(member.url for member in self.members)

    def start(self) -> None:
        for member in self.members:
            if not member.is_running:
                member.start()

    def kill(self) -> None:
        for member in self.members:
            member.kill()

    def close(self) -> None:
        self.kill()

    def member(self, name: str) -> _Member:
        return next(member for member in self.members if member.name == name)

    async def stream(self, name: str) -> Any:
        """What JetStream tells of a stream once it has a leader."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    client = await nats.connect([one.url for one in self.members if one.is_running], connect_timeout=1)
                    try:
                        info = await client.jetstream(timeout=_TRY).stream_info(name)
                    finally:
                        await client.close()
                    if info.cluster is not None and info.cluster.leader:
                        return info
                except (nats.errors.Error, OSError):
                    pass  # a new leader is being looked for
                await asyncio.sleep(0.1)

    async def is_whole(self, name: str) -> None:
        """Wait until all members have all of the stream."""
        async with asyncio.timeout(PATIENCE):
            while True:
                others = (await self.stream(name)).cluster.replicas or []
                if len(others) == SERVERS - 1 and all(one.current and not one.offline for one in others):
                    return
                await asyncio.sleep(0.1)
