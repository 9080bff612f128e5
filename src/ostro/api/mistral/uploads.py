"""What uploads of workbooks, workflows and ad-hoc actions have in common: text, scope, namespace, checks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from ostro.api.call import Answer, Call, Headers, json_answer
from ostro.api.mistral.query import refuse_unknown
from ostro.model.automation import NAMESPACE
from ostro.model.commands import Caller
from ostro.model.errors import DefinitionError, Forbidden, InvalidInput

T = TypeVar("T")

_ARGUMENTS = ("scope", "namespace", "skip_validation")
_MAX_NAMESPACE = 255


class Upload(msgspec.Struct, frozen=True):
    """One uploaded document. `scope` None = not given. `checked`: validate it."""

    text: str
    scope: str | None
    namespace: str
    checked: bool


async def read_upload(call: Call) -> Upload:
    """Raises InvalidInput for a bad scope or encoding, Forbidden for `public` without the right."""
    given = call.query()
    refuse_unknown(given, _ARGUMENTS)
    scope = given.get("scope") or None
    if scope not in (None, "private", "public"):
        raise InvalidInput(f"Scope must be one of the following: {{'public', 'private'}}; actual: {scope}")
    if scope == "public":
        call.require_publicize()
    namespace = given.get("namespace", "")
    if "\0" in namespace or len(namespace) > _MAX_NAMESPACE:
        raise InvalidInput(f"A namespace has at most {_MAX_NAMESPACE} characters and no NUL.")
    refuse_automations(namespace)
    mode = call.services.settings.validation_mode
    checked = mode == "mandatory" or (mode == "enabled" and "skip_validation" not in given)
    return Upload(await read_text(call), scope, namespace, checked)


def refuse_automations(namespace: str) -> None:
    """Raises Forbidden: what stands for automations is changed through their own API alone, or the two would not say
    the same."""
    if namespace == NAMESPACE:
        raise Forbidden(f"The namespace '{namespace}' belongs to automations: change them at /automation/v1.")


async def read_text(call: Call) -> str:
    body = await call.body()
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"Definition could not be parsed: it is not UTF-8 (byte {error.start}).") from None


async def in_thread(work: Callable[[], T]) -> T:
    """Parsing a large text takes a while; other requests go on meanwhile."""
    return await asyncio.to_thread(work)


async def validate(call: Call, check: Callable[[str], object]) -> Answer:
    """`{"valid": true}`, or false with the message and all findings. Stores nothing."""
    refuse_unknown(call.query(), _ARGUMENTS)
    try:
        text = await read_text(call)
        await in_thread(lambda: check(text))
    except DefinitionError as error:
        shown: dict[str, Any] = {"valid": False, "error": error.message}
        if error.problems:
            shown["problems"] = [
                {"line": p.line, "column": p.column, "severity": p.severity, "code": p.code, "message": p.message}
                for p in error.problems
            ]
        return json_answer(shown)
    except InvalidInput as error:
        return json_answer({"valid": False, "error": error.message})
    return json_answer({"valid": True})


def uploaded(value: Any, status: int, headers: Headers = ()) -> Answer:
    """The answer to an upload; Mistral names the encoding here."""
    answer = json_answer(value, status, headers)
    answer.content_type = "application/json;charset=utf-8"
    return answer


def check_owner(kind: str, id: str, project_id: str, is_system: bool, caller: Caller) -> None:
    """Only the owning project, or an administrator, may change or delete."""
    if is_system:
        raise InvalidInput(f"Can not modify a system {kind} resource, ID: {id}")
    if project_id != caller.project_id and not caller.is_admin:
        raise Forbidden(f"Can not access {kind} resource of other projects, ID: {id}")


def missing_argument(name: str) -> Callable[[Call], Awaitable[Answer]]:
    """A handler for a path without the identifier that its method needs: 400, not 405."""

    async def refuse(call: Call) -> Answer:
        raise InvalidInput(f'Missing argument: "{name}"')

    return refuse
