"""Waiting for what the engine's duties do in the background, seen in the store."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_LOOKS = 4000
_PAUSE = 0.005  # seconds


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """The value of a condition once it is true."""
    for _ in range(_LOOKS):
        if value := await holds():
            return value
        await asyncio.sleep(_PAUSE)
    raise AssertionError("It never became true.")


async def until_not(holds: Callable[[], Awaitable[Any]]) -> None:
    """Return once a condition is false."""
    for _ in range(_LOOKS):
        if not await holds():
            return
        await asyncio.sleep(_PAUSE)
    raise AssertionError("It never became false.")
