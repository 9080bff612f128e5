"""Puts the HTTP application together."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from ostro.api import openapi
from ostro.api.audit import AuditLog
from ostro.api.call import Answer, Services
from ostro.api.extensions import Extensions
from ostro.api.faults import answer_error, fault
from ostro.api.guard import Guard
from ostro.api.operations import all_operations
from ostro.api.page import Page
from ostro.api.policy import Policy
from ostro.api.routing import RouteTable
from ostro.api.settings import ApiSettings
from ostro.model.actions import ActionInfo
from ostro.model.errors import OstroError
from ostro.ports.automations import AutomationStore
from ostro.ports.engine import Engine
from ostro.ports.identity import Authenticator
from ostro.ports.store import Store
from ostro.ports.triggers import Duties, TriggerStore

_CORS_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")
_CORS_REQUEST_HEADERS = (
    "X-Auth-Token", "X-Identity-Status", "X-Roles", "X-Service-Catalog", "X-User-Id", "X-Tenant-Id", "X-Project-Id",
    "X-User-Name", "X-Project-Name", "Authorization", "Content-Type", "Prefer", "Idempotency-Key",
)  # fmt: skip
_CORS_ANSWER_HEADERS = (
    "X-Auth-Token", "X-Subject-Token", "X-Service-Token", "X-Project-Id", "X-User-Name", "X-Project-Name",
)  # fmt: skip


class Application(Starlette):
    """The ASGI application. Not FastAPI: every route reads the raw body, and FastAPI's shell alone made the start
    of a server a quarter slower (docs/decisions/0007-starlette.md)."""

    table: RouteTable
    version: str
    extensions: Extensions
    _document: dict[str, Any] | None = None

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self._document is None:
            self._document = openapi.document(self.version, self.table.operations)
        return self._document

    def end_streams(self) -> None:
        """The server stops: answers that would go on and on end now."""
        if self.extensions.live is not None:
            self.extensions.live.close()


def create_app(
    *,
    engine: Engine,
    store: Store,
    actions: Mapping[str, ActionInfo],
    settings: ApiSettings,
    identity: Authenticator | None = None,
    policy: Policy | None = None,
    triggers: TriggerStore | None = None,
    duties: Duties | None = None,
    automations: AutomationStore | None = None,
    extensions: Extensions | None = None,
) -> "Application":
    """The whole HTTP API as an ASGI application. It owns none of its arguments: it neither starts nor closes
    them. `actions`: the built-in and plug-in actions to list, by name. `identity`: how callers prove who they are;
    None lets everybody in as a user of the default project."""
    middleware = [Middleware(Guard, settings=settings)]
    if settings.allowed_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=_CORS_METHODS,
                allow_headers=_CORS_REQUEST_HEADERS,
                expose_headers=_CORS_ANSWER_HEADERS,
            )
        )
    app = Application(
        middleware=middleware,
        exception_handlers={HTTPException: _http_error, OstroError: _own_error, Exception: _own_error},
    )
    rules = policy or Policy(authenticated=identity is not None)
    log = AuditLog(store) if settings.audit else None
    own = extensions or Extensions()
    services = Services(engine, store, actions, settings, rules, identity, log, triggers, duties, automations, own)
    table = RouteTable(services, all_operations())
    app.router.redirect_slashes = False
    app.router.routes.insert(0, table)
    if settings.page is not None:
        app.router.routes.insert(0, Page(settings.page, settings.traffic))
    app.version = settings.version
    app.table = table
    app.extensions = own
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: no such path, no such method."""
    assert isinstance(error, HTTPException)
    message = f"Nothing is at {request.url.path}." if error.status_code == 404 else str(error.detail)
    return _response(fault(error.status_code, message, headers=tuple((error.headers or {}).items())))


async def _own_error(request: Request, error: Exception) -> Response:
    return _response(answer_error(error, path=request.url.path))


def _response(answer: Answer) -> Response:
    headers: dict[str, Any] = dict(answer.headers)
    return Response(answer.body, answer.status, headers, answer.content_type)
