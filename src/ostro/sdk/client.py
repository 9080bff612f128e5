"""`Client` and `AsyncClient`: the same resources, driven by two loops."""

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from ostro.sdk import access, automations, definitions, executions, models, triggers, views
from ostro.sdk.errors import InvalidRequest
from ostro.sdk.exchange import ask, json_request, queried, read, segments, whole
from ostro.sdk.live import Event, stream
from ostro.sdk.steps import Async, Emits, M, Request, Resource, Steps, Sync, listing, operation

if TYPE_CHECKING:
    from ssl import SSLContext

DEFAULT_URL: Final = "http://127.0.0.1:8989"


class _Resources(Resource[M]):
    """All that a server has, by kind, and what is about the server itself."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
        self.workflows: definitions.Workflows[M] = definitions.Workflows(driver)
        self.workbooks: definitions.Workbooks[M] = definitions.Workbooks(driver)
        self.actions: definitions.Actions[M] = definitions.Actions(driver)
        self.members: definitions.Members[M] = definitions.Members(driver)
        self.executions: executions.Executions[M] = executions.Executions(driver)
        self.tasks: executions.Tasks[M] = executions.Tasks(driver)
        self.action_executions: executions.ActionExecutions[M] = executions.ActionExecutions(driver)
        self.cron_triggers: triggers.CronTriggers[M] = triggers.CronTriggers(driver)
        self.event_triggers: triggers.EventTriggers[M] = triggers.EventTriggers(driver)
        self.environments: triggers.Environments[M] = triggers.Environments(driver)
        self.automations: automations.Automations[M] = automations.Automations(driver)
        self.secrets: access.Secrets[M] = access.Secrets(driver)
        self.tokens: access.Tokens[M] = access.Tokens(driver)
        self.services: access.Services[M] = access.Services(driver)
        self.code_sources: access.CodeSources[M] = access.CodeSources(driver)
        self.dynamic_actions: access.DynamicActions[M] = access.DynamicActions(driver)
        self.audit: access.Audit[M] = access.Audit(driver)

    @listing
    def events(self, execution_id: str | None = None, *, last_event_id: str | None = None) -> Emits[Event]:
        """What happens, while it happens: changes of executions, and with `execution_id` all changes of its tree.

        Begins with `Hello`. After a lost connection it goes on where it was; if something was missed nevertheless it
        says `Reload`: read again what you hold.
        """
        return Emits(stream("v2/stream", queried(execution_id=execution_id), last_event_id))

    @operation
    def session(self) -> Steps[views.Session]:
        """Who the server takes the caller for, and what it may do."""
        found = yield from read("v2/session", views.Session)
        return found

    @operation
    def overview(self) -> Steps[views.Overview]:
        """What runs, what needs attention, what is due."""
        found = yield from read("v2/overview", views.Overview)
        return found

    @listing
    def lint(self, definition: str, *, kind: str | None = None) -> Emits[models.Problem]:
        """Findings in a text. `kind`: workflow, workbook, action or automation; None: found out."""
        request = json_request("POST", "v2/lint", {"definition": definition, "kind": kind}, is_safe=True)
        return whole(request, "problems", models.Problem)

    @operation
    def graph(self, definition: str, *, workflow: str | None = None) -> Steps[views.Graph]:
        """Of a text, as far as it can be read; `errors` says what cannot."""
        body = {"definition": definition, "workflow": workflow}
        found = yield from ask(json_request("POST", "v2/graph", body, is_safe=True), views.Graph)
        return found

    @operation
    def schema(self, kind: str) -> Steps[dict[str, Any]]:
        """The JSON schema of workflow, workbook, action or automation."""
        found = yield from read(f"v2/schema/{segments(kind)}", dict[str, Any])
        return found

    @operation
    def maintenance(self, status: str | None = None) -> Steps[str]:
        """RUNNING, PAUSING or PAUSED; with a status, change it (administrators)."""
        request = Request(method="GET", path="maintenance", is_safe=True)
        if status is not None:
            request = json_request("PUT", "maintenance", {"status": status})
        found = yield from ask(request, dict[str, str])
        return found["status"]


class Client(_Resources[Sync]):
    """An Ostro server, asked and answered.

    `url` and `token`: else the variables OSTRO_URL and OSTRO_TOKEN, else the server of this machine without a token.
    `timeout`: seconds that one answer may take, besides what is waited for. `retries`: how often a request that may be
    repeated is. `verify`: False, or an SSLContext, for servers whose certificate the system does not know.
    Close it, or use it in a `with`. Threads may share it.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        verify: "bool | SSLContext" = True,
    ) -> None:
        from ostro.sdk.drivers import SyncDriver

        address = _address(url)
        super().__init__(SyncDriver(address, _token(token), timeout, retries, verify))
        self.url = address

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"


class AsyncClient(_Resources[Async]):
    """`Client` for asyncio: operations are awaited, lists are read with `async for`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        verify: "bool | SSLContext" = True,
    ) -> None:
        from ostro.sdk.drivers import AsyncDriver

        address = _address(url)
        super().__init__(AsyncDriver(address, _token(token), timeout, retries, verify))
        self.url = address

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()  # type: ignore[attr-defined]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"


def _address(url: str | None) -> str:
    """Without a trailing slash or `/v2`. Raises InvalidRequest."""
    given = url or os.environ.get("OSTRO_URL") or DEFAULT_URL
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequest(f"{given!r} is not the address of a server, such as {DEFAULT_URL}.")
    if parts.username or parts.password:
        raise InvalidRequest("An address must not hold a user or a password; give a token.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v2')}"


def _token(token: str | None) -> str:
    return token if token is not None else os.environ.get("OSTRO_TOKEN", "")
