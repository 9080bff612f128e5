"""Definitions of a file, uploaded to an engine in this process, through the same API that a server has."""

import json
import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from ostro.app import Core
from ostro.lang.reader import read
from ostro.model.commands import ANYONE
from ostro.model.errors import InvalidInput
from ostro.ports.store import Filter, ListQuery

_WORKBOOK = re.compile(r"^(workflows|actions)\s*:", re.MULTILINE)


async def upload(core: Core, api: Any, text: str) -> list[str]:
    """Store the workflows of a text, in place of what has their names; their names. Raises InvalidInput."""
    if _WORKBOOK.search(text):
        answer = await _replace(api, "/v2/workbooks", text)
        query = ListQuery(filters=(Filter("workbook_name", "eq", answer["name"]),))
        return [record.name for record in await core.store.list_workflows(query, ANYONE)]
    answer = await _replace(api, "/v2/workflows", text)
    return [item["name"] for item in answer["workflows"]]


def choose(names: list[str], wanted: str | None) -> str:
    """The workflow to run: by full name, by its name in the workbook, or the only one. Raises InvalidInput."""
    if wanted is None:
        if len(names) == 1:
            return names[0]
        raise InvalidInput(f"Which workflow? The file has {', '.join(names) or 'none'}.")
    matches = [name for name in names if name == wanted] or [n for n in names if n.rpartition(".")[2] == wanted]
    if len(matches) == 1:
        return matches[0]
    raise InvalidInput(f"The file has no workflow '{wanted}', but {', '.join(names) or 'none'}.")


async def _replace(api: Any, path: str, text: str) -> Any:
    status, answer = await call(api, "POST", path, text.encode())
    if status == 409:
        status, answer = await call(api, "PUT", path, text.encode())
    if status >= 400:
        raise InvalidInput(answer.get("faultstring") or f"{path} answered {status}")
    return answer


async def upload_automation(api: Any, text: str) -> str:
    """Store an automation, in place of what has its name or uid; its uid. Raises InvalidInput."""
    path = "/automation/v1/workflows"
    kind = b"application/json" if text.lstrip()[:1] == "{" else b"application/yaml"
    status, answer = await call(api, "POST", path, text.encode(), kind)
    if status == 409:
        data = read(text).data
        name = quote(str(data.get("uid") or data.get("name")), safe="")
        status, answer = await call(api, "PUT", f"{path}/{name}", text.encode(), kind)
    if status >= 400:
        lines = [f"{one['loc']}: {one['msg']}" for one in answer.get("errors") or ()]
        raise InvalidInput("\n  ".join([answer.get("faultstring") or f"{path} answered {status}", *lines]))
    uid: str = answer["uid"]
    return uid


async def call(api: Any, method: str, path: str, body: bytes, content_type: bytes = b"text/plain") -> tuple[int, Any]:
    """One request to an ASGI application in this process: status and JSON."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", content_type), (b"content-length", b"%d" % len(body))],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    status = 500
    parts: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await api(scope, receive, send)
    answer = b"".join(parts)
    return status, json.loads(answer) if answer else None
