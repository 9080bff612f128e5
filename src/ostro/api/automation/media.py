"""JSON and YAML, in and out."""

from typing import Any, Final

import msgspec

from ostro.api.automation.faults import wrong
from ostro.api.call import Answer, Call, Headers, json_answer
from ostro.api.faults import Refused
from ostro.api.mistral.body import decode
from ostro.model.errors import InvalidInput

YAML: Final = "application/yaml"
_JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})
_YAML_TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"})


class Body(msgspec.Struct, frozen=True):
    """`data`: a JSON body's value, or None; then `text` is YAML."""

    text: str
    data: dict[str, Any] | None


async def read_body(call: Call) -> Body:
    """Raises Refused (413, 415), InvalidBody for what is no JSON object or no text."""
    content_type = call.header(b"content-type") or ""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type and media_type not in _JSON_TYPES and media_type not in _YAML_TYPES:
        raise Refused(415, f"Unknown media type {media_type}: send application/json or {YAML}.")
    raw = await call.body()
    most = call.services.settings.max_automation_bytes
    if len(raw) > most:
        raise Refused(413, f"The request body is larger than {most} bytes.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong("", f"The body is not UTF-8 (byte {error.start}).") from None
    if media_type in _YAML_TYPES or (not media_type and text.lstrip()[:1] != "{"):
        return Body(text, None)
    return Body(text, _object(text))


def _object(text: str) -> dict[str, Any]:
    try:
        value = decode(text)
    except InvalidInput as error:
        raise wrong("", error.message) from None
    if type(value) is not dict:
        raise wrong("", "The body must be a JSON object.")
    return value


async def read_map(call: Call) -> dict[str, Any]:
    """The body as a map; {} without one. Raises as `read_body`, DefinitionError for bad YAML."""
    from ostro.lang.reader import read

    if call.header(b"content-length") in (None, "0") and call.header(b"transfer-encoding") is None:
        return {}
    body = await read_body(call)
    if body.data is not None:
        return body.data
    if not body.text.strip():
        return {}
    data = read(body.text).data
    if not isinstance(data, dict):
        raise wrong("", "The body must be a map.")
    return data


def answer(call: Call, value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """JSON, or YAML if the client prefers that."""
    headers = (*headers, ("vary", "accept"))  # or a cache gives one client's form to another
    if not _prefers_yaml(call.header(b"accept")):
        return json_answer(value, status, headers)
    return Answer(yaml_text(plain(value)).encode(), status, headers, YAML)


def plain(value: Any) -> Any:
    """The value without raw JSON in it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def yaml_text(value: Any) -> str:
    import yaml

    text: str = yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=120)
    return text


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return Dumper


def _prefers_yaml(accept: str | None) -> bool:
    if accept is None or "yaml" not in accept:
        return False
    yaml = json = 0.0
    for part in accept.split(","):
        name, _, rest = part.strip().lower().partition(";")
        name, weight = name.strip(), _weight(rest)
        if name in _YAML_TYPES and name != "text/plain":
            yaml = max(yaml, weight)
        elif name in ("application/json", "application/*", "*/*"):
            json = max(json, weight if name == "application/json" else weight * 0.999)
    return yaml > json


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
