"""Security schemes as headers that carry the caller's token."""

from collections.abc import Mapping
from typing import Any

from ostro.lang.automation.openapi_refs import References, as_list, as_map

_TOKEN = "{{ USER.token }}"


def add_security(
    call: dict[str, Any],
    document: Mapping[str, Any],
    refs: References,
    operation: Mapping[str, Any],
    step: str,
    notes: list[str],
) -> None:
    """The first alternative of the operation's requirements that can be met with USER.token."""
    requirements = [as_map(one) for one in as_list(operation.get("security", document.get("security")))]
    if not any(requirements):
        return
    declared = as_map(document.get("components")).get("securitySchemes") or document.get("securityDefinitions")
    schemes = as_map(declared)
    for alternative in requirements:
        found = [_placed(refs.resolved(schemes.get(name))) for name in alternative]
        if found and all(found):
            for place, name, value in filter(None, found):
                _add(call, place, name, value)
            return
    names = ", ".join(str(name) for alternative in requirements for name in alternative)
    notes.append(f"{step}: the security scheme ({names}) cannot be met with a header and was left out.")


def _placed(scheme: Any) -> tuple[str, str, str] | None:
    """(headers or params, name, value) of a scheme."""
    if not isinstance(scheme, Mapping):
        return None
    kind = scheme.get("type")
    if kind == "apiKey":
        name = str(scheme.get("name"))
        if scheme.get("in") == "cookie":
            return "headers", "Cookie", f"{name}={_TOKEN}"
        return ("params" if scheme.get("in") == "query" else "headers"), name, _TOKEN
    if kind in ("oauth2", "openIdConnect"):
        return "headers", "Authorization", f"Bearer {_TOKEN}"
    if kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
        return "headers", "Authorization", f"Basic {_TOKEN}"
    if kind == "http":
        scheme_name = str(scheme.get("scheme") or "Bearer")
        return "headers", "Authorization", f"{'Bearer' if scheme_name.lower() == 'bearer' else scheme_name} {_TOKEN}"
    return None


def _add(call: dict[str, Any], place: str, name: str, value: str) -> None:
    held = call.setdefault(place, {})
    if name == "Cookie" and "Cookie" in held:
        value = f"{held['Cookie']}; {value}"
    held[name] = value
