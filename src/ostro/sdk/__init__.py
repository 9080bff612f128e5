"""The Python client of an Ostro server: `Client`, and `AsyncClient` with the same methods for asyncio.

    with Client("http://127.0.0.1:8989") as client:
        client.workflows.create(text)
        print(client.executions.start("hello", {"name": "Ada"}, wait=True).output)

Knows the HTTP API and nothing of the server's inside. Importing this package loads nothing else; a name is loaded when
it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostro.model.errors import OstroError as OstroError
    from ostro.sdk.client import AsyncClient as AsyncClient
    from ostro.sdk.client import Client as Client
    from ostro.sdk.errors import ApiError as ApiError
    from ostro.sdk.errors import Changed as Changed
    from ostro.sdk.errors import Conflict as Conflict
    from ostro.sdk.errors import ExecutionFailed as ExecutionFailed
    from ostro.sdk.errors import Forbidden as Forbidden
    from ostro.sdk.errors import InvalidDocument as InvalidDocument
    from ostro.sdk.errors import InvalidRequest as InvalidRequest
    from ostro.sdk.errors import Maintenance as Maintenance
    from ostro.sdk.errors import NotFound as NotFound
    from ostro.sdk.errors import ServerError as ServerError
    from ostro.sdk.errors import TooMany as TooMany
    from ostro.sdk.errors import Unauthenticated as Unauthenticated
    from ostro.sdk.errors import Unavailable as Unavailable
    from ostro.sdk.errors import Unreachable as Unreachable
    from ostro.sdk.errors import WaitTimeout as WaitTimeout

_HOME = {"Client": "ostro.sdk.client", "AsyncClient": "ostro.sdk.client", "OstroError": "ostro.model.errors"}
_ERRORS = (
    "ApiError", "Changed", "Conflict", "ExecutionFailed", "Forbidden", "InvalidDocument", "InvalidRequest",
    "Maintenance", "NotFound", "ServerError", "TooMany", "Unauthenticated", "Unavailable", "Unreachable", "WaitTimeout",
)  # fmt: skip

__all__ = [*_HOME, *_ERRORS]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _ERRORS:
        return getattr(import_module("ostro.sdk.errors"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
