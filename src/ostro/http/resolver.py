"""The name resolver of the HTTP client: answers only what the egress policy allows."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from ostro.http.egress import EgressPolicy


class Resolver(AbstractResolver):
    """Resolves by the system, then checks every address. Raises EgressDenied (an OSError)."""

    def __init__(self, egress: EgressPolicy) -> None:
        self._egress = egress

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        infos = await self._egress.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(info[4][0]),
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for info in infos
        ]

    async def close(self) -> None:
        """Nothing is held."""
