"""Child processes that evaluate JavaScript.

Guarantees: at most `processes` children; a script that does not end, eats memory or crashes V8 costs its child and
nothing else; a child sees neither the environment nor the files of its parent's configuration. Idle children end.
"""

import asyncio
import struct
import sys
from pathlib import Path
from typing import Any

import msgspec

_LENGTH = struct.Struct(">I")
_CHILD = str(Path(__file__).with_name("script_child.py"))
_IDLE_SECONDS = 60.0
_USES = 500  # evaluations before a child is replaced
_GRACE = 2.0  # seconds beyond the script's own limit before a child is killed


class ScriptFailed(Exception):
    """The script did not give a result; the message says why."""


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.uses = 0
        self.ending: asyncio.TimerHandle | None = None

    def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()

    async def reap(self) -> None:
        """Wait for its end. What it wrote is read first: asyncio tells no end while unread output holds the pipe."""
        if self.process.stdout is not None:
            await self.process.stdout.read()
        await self.process.wait()


class ScriptPool:
    def __init__(self, *, processes: int, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._free = asyncio.Semaphore(processes)
        self._idle: list[_Child] = []
        self._reapers: set[asyncio.Task[None]] = set()

    async def run(self, script: str, context: Any, seconds: float, max_bytes: int) -> Any:
        """The script's value. Raises ScriptFailed. If the caller is cancelled, the child is killed."""
        message = msgspec.json.encode({"script": script, "context": context, "seconds": seconds})
        async with self._free:
            child = await self._child()
            is_good = False
            try:
                async with asyncio.timeout(seconds + _GRACE):
                    answer = await self._exchange(child.process, message, max_bytes)
                is_good = not answer.get("spent")
            except TimeoutError:
                raise ScriptFailed(f"the script did not finish within {seconds:g} seconds") from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise ScriptFailed("the script's process ended; it may have needed too much memory") from None
            finally:
                self._put_back(child, is_good=is_good)
        if "error" in answer:
            raise ScriptFailed(str(answer["error"]))
        return msgspec.json.decode(answer["ok"])

    async def close(self) -> None:
        """End all children; nothing may be running any more."""
        while self._idle:
            self._end(self._idle.pop())
        if self._reapers:
            await asyncio.gather(*self._reapers)

    async def _exchange(self, process: asyncio.subprocess.Process, message: bytes, max_bytes: int) -> dict[str, Any]:
        source, sink = process.stdout, process.stdin
        assert source is not None
        assert sink is not None
        sink.write(_LENGTH.pack(len(message)) + message)
        await sink.drain()
        size: int = _LENGTH.unpack(await source.readexactly(_LENGTH.size))[0]
        if size > 2 * max_bytes:  # JSON in JSON: quotes are escaped
            raise ScriptFailed(f"the result is larger than {max_bytes} bytes")
        answer: dict[str, Any] = msgspec.json.decode(await source.readexactly(size))
        return answer

    async def _child(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.ending is not None:
                child.ending.cancel()
            if child.process.returncode is None:
                return child
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            _CHILD,
            str(self._memory_mb),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        return _Child(process)

    def _put_back(self, child: _Child, *, is_good: bool) -> None:
        child.uses += 1
        if not is_good or child.uses >= _USES:
            self._end(child)
            return
        self._idle.append(child)
        child.ending = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._retire, child)

    def _retire(self, child: _Child) -> None:
        if child in self._idle:
            self._idle.remove(child)
            self._end(child)

    def _end(self, child: _Child) -> None:
        if child.ending is not None:
            child.ending.cancel()
        child.kill()
        reaper = asyncio.create_task(child.reap())
        self._reapers.add(reaper)
        reaper.add_done_callback(self._reapers.discard)
