"""std.http_step: one attempt of an automation's call. It reports what happened; the engine decides what follows."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from ostro.executor.context import Context
from ostro.http.egress import EgressDenied
from ostro.http.limits_gate import Limited
from ostro.http.message import BadURL, Request, Response, has_header, header_texts, parse_url
from ostro.http.pages import Pager, PagesFailed, rules_of
from ostro.http.redirects import STATUSES, followed, retry_after_seconds
from ostro.model.secrets import hidden, hidden_text

_MOST_HOPS = 100  # of one attempt, whatever the rules allow
_LONGEST_NAP = 5.0  # seconds that an attempt waits before a redirect; longer waits are the engine's
_SHORT_WAIT = 0.9  # seconds that an attempt waits for its host's limits; longer waits are the engine's
_PAGE_WAIT = 60.0  # the same before a further page: giving up would mean to read all pages again
_LONGEST_TEXT = 16 * 1024  # of a JSON body that is reported as text too


async def std_http_step(
    context: Context,
    request: Any,
    step: Any = 0,
    redirects: Any = None,
    respect_retry_after: Any = True,
    secrets: Any = (),
) -> dict[str, Any]:
    """One call of an HTTP automation.

    Used by the engine for the steps of automations. Sends one request, follows redirects, and reports how that went.

    :param request: map of method, url, headers, params, data, json_body, timeout and paginate.
    :param step: number of the step.
    :param redirects: how many redirects may be followed; null for any number.
    :param respect_retry_after: whether a redirect's Retry-After is waited for.
    :param secrets: texts that are replaced in the report.
    """
    try:
        first = build(request)
    except ValueError as error:
        return {"kind": "fatal", "message": hidden_text(str(error), secrets)}
    attempt = _Attempt(first, float(request.get("timeout") or 60), redirects, bool(respect_retry_after), secrets)
    if request.get("paginate"):
        attempt.pager = Pager(rules_of(request["paginate"]))
        first.url = attempt.pager.first(first.url)
    first.ticket = context.task_id or ""
    if context.traceparent is not None and not has_header(first.headers, "traceparent"):
        first.headers = {**first.headers, "traceparent": context.traceparent}
    return await attempt.run(context)


def build(given: Mapping[str, Any]) -> Request:
    """The request as it is sent. Raises ValueError."""
    headers = header_texts(given.get("headers"))
    body: bytes | None = None
    if given.get("json_body") is not None:
        body = msgspec.json.encode(given["json_body"])
        if not has_header(headers, "content-type"):
            headers["Content-Type"] = "application/json"
    elif isinstance(given.get("data"), Mapping):
        body = urlencode(given["data"], doseq=True).encode()
        if not has_header(headers, "content-type"):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif given.get("data") is not None:
        body = str(given["data"]).encode()
    return Request(
        method=str(given.get("method") or "GET").upper(),
        url=parse_url(given.get("url"), given.get("params")),
        headers=headers,
        body=body,
        patience=_SHORT_WAIT,
    )


class _Attempt:
    """One attempt on its way through redirects."""

    def __init__(
        self, request: Request, patience: float, redirects: int | None, respects: bool, secrets: Sequence[str]
    ) -> None:
        self.request = request
        self.patience = patience
        self.left = redirects
        self.respects = respects
        self.secrets = secrets
        self.history: list[str] = []
        self.loses_body = False
        self.is_foreign = False
        self.pager: Pager | None = None

    async def run(self, context: Context) -> dict[str, Any]:
        from ostro.http.failures import kind_of

        client = await context.services.http()
        while True:
            try:
                response, location = await client.exchange(self.request, self.patience)
            except (EgressDenied, BadURL) as error:
                return self.report({"kind": "fatal", "message": str(error)})
            except Limited as error:
                kind = "connect" if error.is_broken else "limited"
                return self.report({"kind": kind, "message": str(error), "retry_after": error.seconds})
            except Exception as error:
                kind, message = kind_of(error, self.patience)
                return self.report({"kind": kind, "message": message})
            asked = retry_after_seconds(_header(response, "retry-after"), time.time())
            if response.status not in STATUSES or not location:
                found = {"kind": "response", "retry_after": asked, **self.of(response)}
                if self.pager is None or response.status >= 400:
                    return self.report(found)
                try:
                    if self.has_turned(self.pager, response, found):
                        continue
                except (PagesFailed, BadURL) as error:
                    return self.report({"kind": "fatal", "message": str(error)})
                found["content"] = self.pager.result
                found["response"].pop("text", None)
                return self.report(found)
            if self.left == 0:
                return self.report({"kind": "redirect", "retry_after": None, **self.of(response)})
            if len(self.history) >= _MOST_HOPS:
                return self.report({"kind": "fatal", "message": f"More than {_MOST_HOPS} redirects"})
            try:
                following, loses_body, is_foreign = followed(self.request, response.status, location)
            except BadURL as error:
                return self.report({"kind": "fatal", "message": str(error)})
            wait = asked if self.respects and asked else 0.0
            if wait > _LONGEST_NAP:
                found = {"kind": "redirect", "retry_after": asked, **self.of(response)}
                self.go_on(following, loses_body, is_foreign)
                return {**self.report(found), "redirects": len(self.history) - 1}
            if wait:
                await asyncio.sleep(wait)
            self.go_on(following, loses_body, is_foreign)
            if self.left is not None:
                self.left -= 1

    def has_turned(self, pager: Pager, response: Response, found: dict[str, Any]) -> bool:
        """Take a page; whether there is another one, which is then the next request. Raises PagesFailed, BadURL."""
        headers = found["response"]["headers"]
        following = pager.take(self.request.url, headers, found["content"], len(response.body))
        if following is None:
            return False
        self.request, _, is_foreign = followed(self.request, 307, str(following))
        self.request.patience = _PAGE_WAIT
        self.is_foreign = self.is_foreign or is_foreign
        return True

    def go_on(self, following: Request, loses_body: bool, is_foreign: bool) -> None:
        self.history.append(str(self.request.url.with_user(None)))
        self.request = following
        self.loses_body = self.loses_body or loses_body
        self.is_foreign = self.is_foreign or is_foreign

    def report(self, found: dict[str, Any]) -> dict[str, Any]:
        """With where the attempt has got to, and without secrets."""
        url = str(self.request.url.with_user(None))
        found |= {"method": self.request.method, "url": url, "redirects": len(self.history)}
        if self.history and self.pager is None:  # pages are read from the first one again
            found["reached"] = {
                "url": url,
                "method": self.request.method,
                "no_body": self.loses_body,
                "stripped": self.is_foreign,
            }
        if "message" in found:
            found["message"] = hidden_text(found["message"], self.secrets)
        return found if not self.secrets else hidden(found, self.secrets) | self._unhidden(found)

    def _unhidden(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The next attempt needs the real address."""
        return {"reached": found["reached"]} if "reached" in found else {}

    def of(self, response: Response) -> dict[str, Any]:
        """A response as it is reported: {"response", "content"}."""
        content, text = _content(response)
        shown: dict[str, Any] = {
            "status": response.status,
            "reason": response.reason,
            "headers": {name.lower(): value for name, value in response.headers.items()},
            "url": response.url,
            "elapsed": round(response.elapsed, 6),
            "history": list(self.history),
            "json": text is not None,
        }
        if text is not None and len(text) <= _LONGEST_TEXT:
            shown["text"] = text
        return {"response": shown, "content": content}


def _content(response: Response) -> tuple[Any, str | None]:
    """(parsed JSON, its text) or (text, None)."""
    if not response.body:
        return "", None
    text, _ = response.text()
    try:
        return msgspec.json.decode(text.removeprefix("\ufeff")), text
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return text, None


def _header(response: Response, name: str) -> str | None:
    return next((value for key, value in response.headers.items() if key.lower() == name), None)
