"""Messages of a bus -> events: plain JSON, and the notifications that OpenStack's services send (oslo.messaging)."""

from typing import Any

import msgspec

from ostro.model.commands import DEFAULT_PROJECT
from ostro.model.triggers import Event


def event_of(exchange: str, topic: str, body: bytes, message_id: str = "") -> Event:
    """The event in a message. `message_id`: as the bus knows it. Raises ValueError if there is none to be read.

    Plain: `{"event_type", "payload", "publisher_id", "timestamp", "message_id", "context": {"project_id", ...}}`, all
    but the first optional. OpenStack's are recognised by their envelope.
    """
    try:
        message = msgspec.json.decode(body)
        if isinstance(message, dict) and isinstance(message.get("oslo.message"), str):
            message = msgspec.json.decode(message["oslo.message"])
    except msgspec.MsgspecError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")
    event_type = _text(message, "event_type", "event")
    if not event_type:
        raise ValueError("no event_type")
    context = _context(message)
    return Event(
        exchange=exchange,
        topic=topic,
        event_type=event_type,
        id=_text(message, "message_id", "id") or message_id,
        publisher_id=_text(message, "publisher_id", "publisher"),
        timestamp=_text(message, "timestamp"),
        payload=message.get("payload"),
        project_id=_text(context, "project_id", "project", "tenant") or DEFAULT_PROJECT,
        user_id=_text(context, "user_id", "user"),
        context=context,
    )


def _context(message: dict[str, Any]) -> dict[str, Any]:
    """OpenStack's older senders spread it over keys that begin with `_context_`."""
    given = message.get("context")
    spread = {key.removeprefix("_context_"): value for key, value in message.items() if key.startswith("_context_")}
    return {**spread, **(given if isinstance(given, dict) else {})}


def _text(values: dict[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := values.get(name), str) and value), None)
