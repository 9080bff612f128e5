"""std.http and std.mistral_http: one HTTP request."""

from json import dumps
from typing import Any

import msgspec

from ostro.executor.context import Context
from ostro.http.egress import EgressDenied
from ostro.http.message import (
    BadURL,
    Request,
    Response,
    basic_auth,
    cookie_header,
    has_header,
    header_texts,
    parse_url,
)
from ostro.model.actions import ActionFailed
from ostro.model.depth import is_deep_text

_OK = range(200, 307)  # what counts as success


class HttpActionError(Exception):
    """The request could not be made; the message is for people."""


def check_build(given: dict[str, Any]) -> None:
    """Raises ValueError if the parameters cannot go together."""
    if given.get("body") is not None and given.get("json") is not None:
        raise ValueError("Only one of the parameters 'json' and 'body' can be passed")


async def std_http(
    context: Context,
    url: Any,
    method: Any = "GET",
    params: Any = None,
    body: Any = None,
    json: Any = None,
    headers: Any = None,
    cookies: Any = None,
    auth: Any = None,
    timeout: Any = None,
    allow_redirects: Any = None,
    proxies: Any = None,
    verify: Any = None,
) -> Any:
    """HTTP action.

    Sends one HTTP request. Its result is a map of `content` (parsed JSON, else text), `status`, `headers`, `url`,
    `history`, `encoding`, `reason`, `cookies` and `elapsed` (seconds). A status from 200 to 306 is success, any
    other an error with the same map.

    :param url: http or https.
    :param method: such as GET, POST, PUT.
    :param params: map or text to add to the query.
    :param body: text, or a map or list that is sent as JSON.
    :param json: any value, sent as JSON.
    :param headers: map; numbers are sent as text.
    :param cookies: map of names and values.
    :param auth: "user:password" or a list of the two, for basic authentication.
    :param timeout: seconds for everything.
    :param allow_redirects: whether to follow redirects; not by default.
    :param proxies: map of a scheme (http, https) to the URL of its proxy.
    :param verify: false to accept any certificate, or the path of a file with CA certificates.
    """
    request = build(url, method, params, body, json, headers, cookies, auth, timeout, allow_redirects, proxies, verify)
    return await perform(context, request)


async def std_mistral_http(
    context: Context,
    url: Any,
    method: Any = "GET",
    params: Any = None,
    body: Any = None,
    json: Any = None,
    headers: Any = None,
    cookies: Any = None,
    auth: Any = None,
    timeout: Any = None,
    allow_redirects: Any = None,
    proxies: Any = None,
    verify: Any = None,
) -> Any:
    """Asynchronous HTTP action.

    As std.http, with headers that name the workflow, execution, task and action execution and the path by which
    to finish the action (PUT). A failed request ends the action; after a good one it waits to be finished.
    """
    request = build(url, method, params, body, json, headers, cookies, auth, timeout, allow_redirects, proxies, verify)
    identity = {
        "Mistral-Workflow-Name": context.workflow_name,
        "Mistral-Workflow-Execution-Id": context.workflow_execution_id,
        "Mistral-Task-Id": context.task_id,
        "Mistral-Action-Execution-Id": context.action_execution_id,
        "Mistral-Callback-URL": context.callback_url,
    }
    request.headers = {**request.headers, **header_texts(identity)}
    return await perform(context, request)


def build(
    url: Any,
    method: Any,
    params: Any,
    body: Any,
    json: Any,
    headers: Any,
    cookies: Any,
    auth: Any,
    timeout: Any,
    allow_redirects: Any,
    proxies: Any,
    verify: Any,
) -> Request:
    """The request that the parameters describe. Raises ValueError."""
    sent = header_texts(headers)
    data = None
    if json is not None or isinstance(body, dict | list):
        data = dumps(body if json is None else json).encode()  # with Mistral's spaces: some receivers compare the bytes
        if not has_header(sent, "content-type"):
            sent["Content-Type"] = "application/json"
    elif body is not None:
        data = (body if isinstance(body, str) else str(body)).encode()
    if cookies and not has_header(sent, "cookie"):
        sent["Cookie"] = cookie_header(cookies)
    if auth and not has_header(sent, "authorization"):
        sent["Authorization"] = basic_auth(auth)
    if proxies is not None and not isinstance(proxies, dict):
        raise ValueError("'proxies' must be a map.")
    return Request(
        method=str(method or "GET").upper(),
        url=parse_url(url, params),
        headers=sent,
        body=data,
        timeout=_seconds(timeout),
        allow_redirects=_flag(allow_redirects, default=False),
        proxies=proxies or {},
        verify=verify if isinstance(verify, str) and verify else _flag(verify, default=True),
    )


async def perform(context: Context, request: Request) -> dict[str, Any]:
    """Send it; the result map, or ActionFailed with it."""
    from ostro.http.client import HttpFailed
    from ostro.http.limits_gate import Limited

    client = await context.services.http()
    request.ticket = context.task_id or ""
    if context.traceparent is not None and not has_header(request.headers, "traceparent"):
        request.headers = {**request.headers, "traceparent": context.traceparent}
    try:
        response = await client.send(request)
    except (EgressDenied, BadURL, Limited) as exc:
        raise HttpActionError(str(exc)) from None
    except (HttpFailed, ValueError) as exc:
        raise HttpActionError(f"Failed to send HTTP request: {exc}") from None
    result = result_of(response)
    if response.status not in _OK:
        raise ActionFailed(result)
    return result


def result_of(response: Response) -> dict[str, Any]:
    """The map that workflows read."""
    content, encoding = _content(response)
    return {
        "content": content,
        "status": response.status,
        "headers": response.headers,
        "url": response.url,
        "history": response.history,
        "encoding": encoding,
        "reason": response.reason,
        "cookies": response.cookies,
        "elapsed": response.elapsed,
    }


def _content(response: Response) -> tuple[Any, str | None]:
    body = response.body
    if not body:
        return "", response.charset
    try:
        value = msgspec.json.decode(body)
        if is_deep_text(body, [[[value]]]):  # as it will be stored
            return response.text()
        return value, response.charset or "utf-8"
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        text, encoding = response.text()
    if encoding != "utf-8" or text.startswith("\ufeff"):
        try:
            return msgspec.json.decode(text.removeprefix("\ufeff")), encoding
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return text, encoding
    return text, encoding


def _seconds(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError("'timeout' must be a number of seconds.") from None
    if not 0 < seconds < float("inf"):
        raise ValueError("'timeout' must be more than 0 seconds.")
    return seconds


def _flag(value: Any, *, default: bool) -> bool:
    """A flag as JSON or as the texts that expressions make of one."""
    if value is None or value == "":
        return default
    if isinstance(value, str):
        return value.strip().lower() not in ("false", "no", "off", "0")
    return bool(value)
