"""What is about the server itself: versions, health, metrics, processes, documents."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec

from ostro.api import pages
from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral.query import refuse_unknown
from ostro.model.errors import InvalidInput, OstroError

_log = logging.getLogger("ostro.api")

_HTML = "text/html; charset=utf-8"
# Our pages have no scripts and load nothing: whatever a definition's name holds stays text.
_PAGE_HEADERS = (
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("vary", "accept"),
)


async def root(call: Call) -> Answer:
    """The page for a browser, Mistral's list of versions for everybody else."""
    if "text/html" in (call.header(b"accept") or ""):
        page = pages.landing(call.services.settings.version, call.base_url())
        return Answer(page, headers=_PAGE_HEADERS, content_type=_HTML)
    link = {"href": f"{call.base_url()}/v2", "target": "v2", "rel": "self"}
    versions = [{"id": "v2.0", "status": "CURRENT", "links": [link]}]
    return json_answer({"versions": versions}, headers=(("vary", "accept"),))


async def v2_root(call: Call) -> Answer:
    if not call.scope["path"].endswith("/"):
        return json_answer({}, 302, (("location", f"{call.base_url()}/v2/"),))
    return json_answer({"uri": f"{call.base_url()}/v2"})


async def info(call: Call) -> Answer:
    file = call.services.settings.info_file
    if file is None:
        raise InvalidInput("Info endpoint disabled.")
    try:
        text = await asyncio.to_thread(Path(file).read_bytes)
        return json_answer(msgspec.json.decode(text))
    except OSError:
        raise InvalidInput("Incorrect path to info json file.") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise InvalidInput("The info file does not hold JSON.") from None


async def services(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    source = call.services.settings.services
    running = sorted(await source() if source is not None else [], key=lambda s: (s["type"], s["name"]))
    return json_answer({"services": running})


async def healthcheck(call: Call) -> Answer:
    """200 if the store answers, else 503. Says what failed, not how it is set up."""
    try:
        found: dict[str, Any] = await call.services.store.check()
    except OstroError as error:
        _log.warning("health check failed: %s", error.message, extra={"code": error.code})
        found = {"ok": False, "error": error.code}
    good = bool(found.get("ok"))
    if call.services.identity is not None:  # nobody was asked who he is
        found = {"ok": good}
    body = {"status": "ok" if good else "error", "version": call.services.settings.version, "store": found}
    return json_answer(body, 200 if good else 503)


async def metrics(call: Call) -> Answer:
    source = call.services.settings.metrics
    text = await source() if source is not None else b""
    return Answer(text, content_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi(call: Call) -> Answer:
    return json_answer(call.scope["app"].openapi())


async def docs(call: Call) -> Answer:
    page = pages.reference(call.scope["app"].openapi())
    return Answer(page, headers=_PAGE_HEADERS, content_type=_HTML)
