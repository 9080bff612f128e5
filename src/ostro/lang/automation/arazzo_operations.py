"""The operations that an Arazzo document refers to: Arazzo has no URLs of its own, so each server of an automation
becomes a small OpenAPI document."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import nodes

from ostro.lang.automation.arazzo_values import Left, Values, path_of, pieces

_MARK = re.compile("\ue000(\\d+)\ue001")


class Parts:
    """A URL taken apart: `server`, `path` with `{name}`, and parameters for Arazzo."""

    def __init__(self, server: str, variables: dict[str, str], path: str, parameters: list[dict[str, Any]]) -> None:
        self.server = server
        self.variables = variables  # server variable -> the expression it stood for
        self.path = path
        self.parameters = parameters


def take_apart(url: str, values: Values, left: Left) -> Parts:
    """Server, path and parameters of a URL template."""
    found: list[nodes.Node] = []
    text = ""
    for piece in pieces(url):
        if isinstance(piece, str):
            text += piece.replace("{", "%7B").replace("}", "%7D")  # else OpenAPI reads a parameter
        else:
            text += f"\ue000{len(found)}\ue001"
            found.append(piece)
    base, query = text.partition("?")[::2]
    server, path = _split(base)
    variables: dict[str, str] = {}

    def variable(match: re.Match[str]) -> str:
        name = _name_of(found[int(match[1])], f"server_{match[1]}")
        variables[name] = url
        return "{" + name + "}"

    server = _MARK.sub(variable, server)
    if variables:
        left.add(f"Step {values.step}: its server {server} is known only at run time; set it as a server variable.")
    parameters: list[dict[str, Any]] = []

    def in_path(match: re.Match[str]) -> str:
        node = found[int(match[1])]
        name = _name_of(node, f"p{match[1]}")
        if any(other["name"] == name for other in parameters):
            name = f"{name}_{match[1]}"
        parameters.append({"name": name, "in": "path", "value": values.expression(node, url, f"path_{name}")})
        return "{" + name + "}"

    path = _MARK.sub(in_path, path)
    for name, value in parse_qsl(query, keep_blank_values=True):
        filled = _MARK.sub(lambda match: "{" + values.expression(found[int(match[1])], url, "query") + "}", value)
        whole = re.fullmatch(r"\{(\$[^{}]+)\}", filled)
        parameters.append({"name": name, "in": "query", "value": whole[1] if whole else filled})
    return Parts(server, variables, path or "/", parameters)


def _split(base: str) -> tuple[str, str]:
    """Scheme and host; path. A template at the beginning stands for all up to the next slash."""
    if base.startswith("\ue000"):
        server, slash, path = base.partition("/")
        return server, slash + path
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}", parts.path


def _name_of(node: nodes.Node, otherwise: str) -> str:
    path = path_of(node)
    words = [re.sub(r"\W", "_", str(part), flags=re.ASCII) for part in (path or ())[-2:]]
    words = [word for word in words if word not in ("INPUT", "USER", "SYSTEM_APIS", "input")]
    return "_".join(words) or otherwise


class Sources:
    """OpenAPI documents by server."""

    def __init__(self, title: str) -> None:
        self._title = title
        self.documents: dict[str, dict[str, Any]] = {}  # source name -> document
        self._names: dict[str, str] = {}  # server -> source name

    def operation(self, parts: Parts, method: str, operation_id: str) -> tuple[str, str, str]:
        """(source name, operation id, path) of a call; the path that is there already, if it only differs in the
        names of its parameters. Puts the operation in if it is new."""
        source = self._names.setdefault(parts.server, f"server{len(self._names) + 1}")
        document = self.documents.get(source) or self._new(source, parts)
        shape = re.sub(r"\{[^{}]*\}", "{}", parts.path)
        for path, item in document["paths"].items():
            if re.sub(r"\{[^{}]*\}", "{}", path) == shape:
                if method.lower() in item:
                    return source, item[method.lower()]["operationId"], path
                item[method.lower()] = _operation(operation_id, path)
                return source, operation_id, path
        document["paths"][parts.path] = {method.lower(): _operation(operation_id, parts.path)}
        return source, operation_id, parts.path

    def _new(self, source: str, parts: Parts) -> dict[str, Any]:
        server: dict[str, Any] = {"url": parts.server}
        if parts.variables:
            server["variables"] = {
                name: {"default": "https://example.com", "description": f"Known only at run time: {text}"}
                for name, text in parts.variables.items()
            }
        self.documents[source] = {
            "openapi": "3.1.0",
            "info": {"title": f"Calls of {self._title}", "version": "1.0.0"},
            "servers": [server],
            "paths": {},
        }
        return self.documents[source]


def _operation(operation_id: str, path: str) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": operation_id, "responses": {"default": {"description": "Any answer"}}}
    names = re.findall(r"\{([^{}]*)\}", path)
    if names:
        operation["parameters"] = [{"name": n, "in": "path", "required": True, "schema": {}} for n in names]
    return operation
