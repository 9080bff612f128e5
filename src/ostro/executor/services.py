"""What actions of one executor share: connections, child processes, threads. Made when first needed.

The libraries are heavy (HTTP, SSH, JavaScript), so they are imported when first used, off the event loop.
"""

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

from ostro.executor.settings import ExecutorSettings
from ostro.executor.threads import Threads
from ostro.http.egress import EgressPolicy
from ostro.http.limits_gate import FileMemory, Gate

if TYPE_CHECKING:
    from ostro.executor.actions.script_pool import ScriptPool
    from ostro.executor.actions.ssh_hosts import KnownHosts
    from ostro.http.client import HttpClient


class Services:
    """Lives as long as its executor; `close` ends everything it made."""

    def __init__(self, settings: ExecutorSettings, egress: EgressPolicy) -> None:
        self.settings = settings
        self.egress = egress
        self.threads = Threads(settings.threads)
        self._http: HttpClient | None = None
        self.gate: Gate | None = None  # the limits of hosts, once they are needed
        self._scripts: ScriptPool | None = None
        self._known_hosts: KnownHosts | None = None
        self._making = asyncio.Lock()

    async def http(self) -> "HttpClient":
        if self._http is None:
            async with self._making:
                module = await load("ostro.http.client")
                if self._http is None:
                    self._http = module.HttpClient(
                        self.egress,
                        timeout=self.settings.http_timeout,
                        max_response_bytes=self.settings.http_max_response_bytes,
                        gate=await self._gate(),
                    )
        client = self._http
        assert client is not None
        return client

    async def _gate(self) -> Gate | None:
        """The limits of hosts; None if there are none."""
        settings = self.settings
        if not settings.http_limits:
            return None
        memory = FileMemory(settings.http_breakers_file) if settings.http_breakers_file else None
        self.gate = await asyncio.to_thread(Gate, settings.http_limits, memory)
        return self.gate

    async def scripts(self) -> "ScriptPool":
        if self._scripts is None:
            async with self._making:
                module = await load("ostro.executor.actions.script_pool")
                if self._scripts is None:
                    self._scripts = module.ScriptPool(
                        processes=self.settings.script_processes, memory_mb=self.settings.script_memory_mb
                    )
        pool = self._scripts
        assert pool is not None
        return pool

    async def known_hosts(self) -> "KnownHosts":
        if self._known_hosts is None:
            async with self._making:
                module = await load("ostro.executor.actions.ssh_hosts")
                if self._known_hosts is None:
                    self._known_hosts = await asyncio.to_thread(module.KnownHosts, self.settings.ssh_known_hosts)
        hosts = self._known_hosts
        assert hosts is not None
        return hosts

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None
        if self._scripts is not None:
            await self._scripts.close()
            self._scripts = None


async def load(module: str) -> Any:
    """Import a module without holding up the event loop."""
    return await asyncio.to_thread(importlib.import_module, module)
