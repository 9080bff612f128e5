"""Operations of an OpenAPI document (2.0, 3.0, 3.1) as the steps of an automation.

Guarantees: the answer is a valid automation; every parameter the operation requires is filled from INPUT, optional
ones are left out of the call when the run's input does not have them; what cannot be expressed is told in notes.
References are followed inside the document only: nothing is read or fetched.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ostro.lang import reader
from ostro.lang.automation.imports_literal import identifier, optional, reference, template
from ostro.lang.automation.openapi_bodies import Inputs, add_body
from ostro.lang.automation.openapi_refs import References, as_list, as_map
from ostro.lang.automation.openapi_security import add_security
from ostro.model.errors import DefinitionError, InvalidInput

_METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
_OWN_HEADERS = frozenset({"accept", "content-type", "authorization"})  # set by what the operation says elsewhere
_RESERVED = frozenset({"SYSTEM_APIS", "USER", "CURRENT_STEP", "INPUT", "STEPS"})


def from_openapi(
    spec: Mapping[str, Any] | str,
    operations: Sequence[str],
    base_url: str | None = None,
    notes: list[str] | None = None,
) -> dict[str, Any]:
    """An automation (as a plain map) with one step per operation, in the order given. An operation is named by its
    operationId or as `GET /path`. `base_url` replaces the servers of the document and may be a template. `notes`
    receives sentences about what a person should look at. Raises InvalidInput, NotFound-like ones included."""
    notes = [] if notes is None else notes
    document = _document(spec)
    if not operations:
        raise InvalidInput(f"Which operations? The document has {_some(list(_operations(document)))}.")
    refs = References(document)
    known = _operations(document)
    inputs = Inputs()
    steps: list[dict[str, Any]] = []
    for wanted in operations:
        path, method = known[_found(known, wanted)]
        step = _step(document, refs, path, method, base_url, inputs, notes)
        step["name"] = _unused(step["name"], [other["name"] for other in steps])
        steps.append(step)
    if inputs.names:
        notes.append("The input of a run: " + ", ".join(inputs.described()) + ".")
    info = document.get("info")
    title = str(info.get("title") or "") if isinstance(info, Mapping) else ""
    return {"name": (title.strip() or "Imported")[:255], "steps": steps}


def operations_of(spec: Mapping[str, Any] | str) -> list[str]:
    """The operations of a document as `from_openapi` takes them, in its order. Raises InvalidInput."""
    return list(_operations(_document(spec)))


def _document(spec: Mapping[str, Any] | str) -> Mapping[str, Any]:
    data: Any = spec
    if isinstance(spec, str):
        try:
            data = msgspec.json.decode(spec) if spec.lstrip().startswith("{") else reader.read(spec).data
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidInput(f"The document is no JSON: {error}") from None
        except DefinitionError as error:
            raise InvalidInput(f"The document is no YAML: {error.message}") from None
    if not isinstance(data, Mapping) or not isinstance(data.get("paths"), Mapping):
        raise InvalidInput("This is no OpenAPI document: it has no paths.")
    version = str(data.get("openapi") or data.get("swagger") or "")
    if not re.match(r"[23]\.", version):
        raise InvalidInput(f"OpenAPI 2.x and 3.x can be imported, this document says '{version}'.")
    return data


def _operations(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Name -> (path, method): the operationId, else `GET /path`."""
    refs = References(document)
    known: dict[str, tuple[str, str]] = {}
    for path, item in document["paths"].items():
        item = refs.map(item)
        for method in _METHODS:
            if isinstance(item.get(method), Mapping):
                name = str(item[method].get("operationId") or f"{method.upper()} {path}")
                known.setdefault(name, (path, method))
    return known


def _found(known: Mapping[str, tuple[str, str]], wanted: str) -> str:
    if wanted in known:
        return wanted
    method, _, path = wanted.strip().partition(" ")
    for name, place in known.items():
        if place == (path.strip(), method.lower()):
            return name
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f"Is '{near[0]}' meant?" if near else f"The document has {_some(list(known))}."
    raise InvalidInput(f"There is no operation '{wanted}'. {hint}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") or "none"


def _step(
    document: Mapping[str, Any],
    refs: References,
    path: str,
    method: str,
    base_url: str | None,
    inputs: Inputs,
    notes: list[str],
) -> dict[str, Any]:
    item = refs.map(document["paths"][path])
    operation = refs.map(item[method])
    name = str(operation.get("operationId") or f"{method.upper()} {path}").strip()[:250]
    base = base_url or _server(document, item, operation, notes)
    call: dict[str, Any] = {"url": base.rstrip("/"), "method": method.upper()}
    parameters = _parameters(refs, item, operation)
    places = {p["name"]: p for p in parameters if p.get("in") == "path"}
    call["url"] += _path(path, places, inputs)
    for parameter in parameters:
        _add_parameter(call, refs, parameter, inputs, name, notes)
    add_body(call, document, refs, operation, parameters, inputs, name, notes)
    add_security(call, document, refs, operation, name, notes)
    output = identifier(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return {"name": name, "apispec": call, "output": f"{output}_" if output in _RESERVED else output}


def _unused(name: str, taken: list[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} {number}"
    return found


def _server(
    document: Mapping[str, Any], item: Mapping[str, Any], operation: Mapping[str, Any], notes: list[str]
) -> str:
    if "swagger" in document:
        return _server_2(document)
    servers = as_list(operation.get("servers") or item.get("servers") or document.get("servers")) or [{"url": "/"}]
    server = as_map(servers[0])
    url = str(server.get("url", "/"))
    for variable, about in as_map(server.get("variables")).items():
        url = url.replace("{" + str(variable) + "}", str(as_map(about).get("default", "")))
    if len(servers) > 1:
        note = f"The document names {len(servers)} servers, {url} was taken."
        if note not in notes:
            notes.append(note)
    if not url.lower().startswith(("http://", "https://")):
        raise InvalidInput(f"The document's server '{url}' is no absolute URL; give a base URL.")
    return template(url)


def _server_2(document: Mapping[str, Any]) -> str:
    host = document.get("host")
    if not host:
        raise InvalidInput("The document names no host; give a base URL.")
    schemes = [scheme for scheme in as_list(document.get("schemes")) if scheme in ("https", "http")]
    scheme = "https" if "https" in schemes or not schemes else "http"
    return template(f"{scheme}://{host}/" + str(document.get("basePath") or "/").lstrip("/"))


def _parameters(refs: References, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of the path, replaced by the operation's where they have the same name and place."""
    merged: dict[tuple[str, str], Mapping[str, Any]] = {}
    for raw in [*as_list(item.get("parameters")), *as_list(operation.get("parameters"))]:
        parameter = refs.map(raw)
        if isinstance(parameter.get("name"), str) and parameter["name"]:
            merged[(parameter["name"], str(parameter.get("in")))] = parameter
    return list(merged.values())


def _path(path: str, places: Mapping[str, Mapping[str, Any]], inputs: Inputs) -> str:
    def filled(match: re.Match[str]) -> str:
        about = places.get(match[1], {})
        return "\ue002" + inputs.required(match[1], str(about.get("description") or "")) + "\ue003"

    text = template(re.sub(r"\{([^{}]+)\}", filled, path))
    return re.sub("\ue002(.*?)\ue003", lambda found: f"{{{{ {reference(found[1])} }}}}", text)


def _add_parameter(
    call: dict[str, Any],
    refs: References,
    parameter: Mapping[str, Any],
    inputs: Inputs,
    step: str,
    notes: list[str],
) -> None:
    place, name = parameter.get("in"), parameter["name"]
    if place not in ("query", "header", "cookie") or (place == "header" and name.lower() in _OWN_HEADERS):
        return
    is_list = refs.map(parameter.get("schema") or parameter).get("type") == "array"
    if parameter.get("style") == "deepObject" or (parameter.get("content") and not parameter.get("schema")):
        notes.append(f"{step}: the parameter {name} is an object in the query and was left out.")
        return
    repeats = is_list and place == "query" and _repeats(parameter)
    is_required = bool(parameter.get("required"))
    field = inputs.required(name) if is_required else inputs.optional(name)
    value = _reference(field, is_required, None if repeats or not is_list else _separator(parameter))
    if place == "query":
        call.setdefault("params", {})[name] = value
    elif place == "header":
        call.setdefault("headers", {})[name] = value
    elif is_required:
        cookies = call.setdefault("headers", {})
        cookies["Cookie"] = "; ".join(filter(None, [cookies.get("Cookie"), f"{name}={value}"]))
    else:
        notes.append(f"{step}: the optional cookie {name} was left out.")


def _repeats(parameter: Mapping[str, Any]) -> bool:
    """Whether a list repeats the parameter (the default of 3.x; `multi` of 2.0)."""
    if "schema" in parameter:
        return parameter.get("explode", True) is not False and parameter.get("style", "form") == "form"
    return parameter.get("collectionFormat") == "multi"


def _separator(parameter: Mapping[str, Any]) -> str:
    kind = parameter.get("style") or parameter.get("collectionFormat")
    return {"spaceDelimited": " ", "ssv": " ", "pipeDelimited": "|", "pipes": "|", "tsv": "\\t"}.get(str(kind), ",")


def _reference(field: str, is_required: bool, separator: str | None) -> str:
    """A template that gives the value of INPUT, or null (which drops the parameter) for an optional one."""
    value = reference(field)
    if is_required:
        return f"{{{{ {value} }}}}" if separator is None else f"{{{{ {value} | join('{separator}') }}}}"
    if separator is None:
        return f"{{{{ {optional(field)} }}}}"
    return f"{{{{ ({optional(field)} or []) | join('{separator}') or none }}}}"
