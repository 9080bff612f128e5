"""What the API may be told: addresses, limits and the callables that the composition root supplies."""

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ostro.api.traffic import Traffic
from ostro.api.turns import Turns

ValidationMode = Literal["mandatory", "enabled", "disabled"]


def _host_clock() -> int:
    return time.time_ns() // 1000


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`public_hosts`: names (without port) that `Host` may hold besides loopback ones; `insecure` allows all.

    `allowed_origins`: `scheme://host[:port]` of pages on other hosts that may call (CORS). `validation_mode`:
    mandatory = `skip_validation` is ignored, enabled = it works, disabled = definitions are never checked.
    `services` lists the running processes, each `{"name": ..., "type": ...}`. `metrics` gives the
    Prometheus text. `now`: microseconds since the epoch, for definitions' timestamps.
    """

    public_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    insecure: bool = False
    max_limit: int = 20_000
    max_body_bytes: int = 16 * 1024 * 1024
    max_bodies_bytes: int = 256 * 1024 * 1024  # of all requests under way
    body_seconds: float = 60.0  # of silence while a body is awaited
    max_wait_seconds: float = 300.0  # of `Prefer: wait=N`
    allow_action_execution_deletion: bool = False
    code_sources: bool = False  # administrators may upload Python
    audit: bool = False  # log every change in the store
    info_file: str | None = None  # None: /info is disabled
    page: Path | None = None  # the built web page; None: nothing at /ui/
    validation_mode: ValidationMode = "mandatory"
    services: Callable[[], Awaitable[list[dict[str, str]]]] | None = None
    metrics: Callable[[], Awaitable[bytes]] | None = None
    traffic: Traffic = msgspec.field(default_factory=Traffic)
    turns: Turns = msgspec.field(default_factory=Turns)
    system_apis: Mapping[str, str] = {}  # name -> URL: what automations see as SYSTEM_APIS
    max_step_concurrency: int = 64  # of an automation's step
    max_automation_bytes: int = 4 * 1024 * 1024  # of a request's body
    event_secret: str = ""  # of signed events; empty: they are not signed
    now: Callable[[], int] = _host_clock
    version: str = "0"
