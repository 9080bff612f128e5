"""POST /v2/events: events that come in over HTTP, from clients and from other services' webhooks.

An event comes from somebody who may be asked who they are, as for every other route, or it is signed: the header
`X-Ostro-Signature` (or GitHub's `X-Hub-Signature-256`) holds `sha256=` and the HMAC-SHA256 of the body by the
configured secret, in hexadecimal.
"""

import hashlib
import hmac
from typing import Any, Final

from ostro.api.auth import caller_of
from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral.body import decode
from ostro.model.commands import ANYONE, DEFAULT_PROJECT, Caller
from ostro.model.errors import InvalidInput, Unauthenticated, Unavailable
from ostro.model.triggers import Event

_RULE: Final = "events:create"
_SIGNATURES: Final = (b"x-ostro-signature", b"x-hub-signature-256")
_IDS: Final = (b"idempotency-key", b"x-github-delivery")
_TEXTS: Final = ("exchange", "topic", "event", "id", "publisher", "timestamp", "project_id")
_MAX_TEXT: Final = 255


async def take(call: Call) -> Answer:
    """The body is the event, with its exchange, topic, name and payload."""
    body = await call.body()
    caller, is_signed = await _sender(call, body)
    given = decode(body)
    if type(given) is not dict:
        raise InvalidInput("An event is a JSON object.")
    given.setdefault("id", _id(call))
    event = _event(given, caller, is_signed)
    return await _taken(call, event)


async def take_payload(call: Call) -> Answer:
    """The body is the payload; the path says what it is."""
    body = await call.body()
    caller, is_signed = await _sender(call, body)
    payload = decode(body) if body.strip() else None
    project = call.query().get("project_id") or None
    given = {**call.params, "payload": payload, "id": _id(call), "project_id": project}
    return await _taken(call, _event(given, caller, is_signed))


async def _taken(call: Call, event: Event) -> Answer:
    if call.services.duties is None:
        raise Unavailable("This process does not take events.")
    return json_answer({"executions": await call.services.duties.take_event(event)}, 202)


async def _sender(call: Call, body: bytes) -> tuple[Caller, bool]:
    """Who sends, and whether that is known by a signature. Raises Unauthenticated, Forbidden."""
    secret = call.services.settings.event_secret
    signature = next((text for name in _SIGNATURES if (text := call.header(name))), None)
    if secret and signature is not None:
        if not _is_signed(signature, secret, body):
            raise Unauthenticated("The event's signature is wrong.")
        return ANYONE, True
    if call.services.identity is None:
        if secret:
            raise Unauthenticated("Events have to be signed here: X-Ostro-Signature: sha256=HMAC")
        return ANYONE, False
    caller = await caller_of(call.scope, call.services)
    call.services.policy.require(_RULE, caller)
    return caller, False


def _is_signed(signature: str, secret: str, body: bytes) -> bool:
    expected = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
    return hmac.compare_digest(signature.strip().lower().encode("latin-1", "replace"), expected.encode())


def _id(call: Call) -> str:
    return next((text for name in _IDS if (text := call.header(name))), "")


def _event(given: dict[str, Any], caller: Caller, is_signed: bool) -> Event:
    for name in _TEXTS:
        value = given.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > _MAX_TEXT or "\0" in value):
            raise InvalidInput(f"'{name}' of an event must be a text of at most {_MAX_TEXT} characters.")
    if not all(given.get(name) for name in ("exchange", "topic", "event")):
        raise InvalidInput("An event needs an exchange, a topic and an event.")
    context = given.get("context")
    return Event(
        exchange=given["exchange"],
        topic=given["topic"],
        event_type=given["event"],
        id=given.get("id") or "",
        publisher_id=given.get("publisher"),
        timestamp=given.get("timestamp"),
        payload=given.get("payload"),
        # Only who knows the server's secret may speak for any project.
        project_id=(given.get("project_id") or DEFAULT_PROJECT) if is_signed else caller.project_id,
        user_id=caller.user_id,
        context=context if type(context) is dict else {},
    )
