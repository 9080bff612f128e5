"""Bodies of operations: from examples where the document has some, else from the schema with INPUT in the gaps."""

from collections.abc import Iterable, Mapping
from typing import Any

from ostro.lang.automation.imports_literal import identifier, optional, reference, templates
from ostro.lang.automation.openapi_refs import References, as_list, as_map
from ostro.model.errors import InvalidInput

_DEEPEST = 8  # levels of a body made from a schema
_MOST_SCHEMAS = 5_000  # looked at for one body
_FORM = "application/x-www-form-urlencoded"
_NOTHING: Any = object()


class Inputs:
    """The fields of INPUT that the steps read."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # name -> description; of optional ones "optional"

    def required(self, name: str, description: str = "") -> str:
        field = identifier(name)
        self.names[field] = ""
        return field

    def optional(self, name: str) -> str:
        field = identifier(name)
        self.names.setdefault(field, "optional")
        return field

    def described(self) -> list[str]:
        return [f"{name} ({about})" if about else name for name, about in self.names.items()]


def add_body(
    call: dict[str, Any],
    document: Mapping[str, Any],
    refs: References,
    operation: Mapping[str, Any],
    parameters: Iterable[Mapping[str, Any]],
    inputs: Inputs,
    step: str,
    notes: list[str],
) -> None:
    """Put the body of an operation into its call."""
    builder = _Builder(refs, inputs)
    if "swagger" in document:
        _add_body_2(call, document, operation, parameters, builder, step, notes)
        return
    content = as_map(refs.map(operation.get("requestBody")).get("content"))
    if not content:
        return
    kind = _preferred(content)
    if kind is None:
        notes.append(f"{step}: a body of the kind {next(iter(content))} cannot be expressed and was left out.")
        return
    media = refs.map(content[kind])
    value = _example(refs, media)
    if value is _NOTHING:
        value = builder.of_schema(media.get("schema"), "body", True)
    else:
        value = templates(value)
        notes.append(f"{step}: the body is the document's example; put {{{{ INPUT.name }}}} where runs differ.")
    _place(call, kind, value)


def _add_body_2(
    call: dict[str, Any],
    document: Mapping[str, Any],
    operation: Mapping[str, Any],
    parameters: Iterable[Mapping[str, Any]],
    builder: "_Builder",
    step: str,
    notes: list[str],
) -> None:
    kinds = [str(kind) for kind in as_list(operation.get("consumes") or document.get("consumes"))]
    form: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.get("in") == "body":
            value = builder.of_schema(parameter.get("schema"), "body", True)
            _place(call, _preferred(dict.fromkeys(kinds)) or "application/json", value)
        elif parameter.get("in") == "formData":
            name = parameter["name"]
            if parameter.get("type") == "file":
                notes.append(f"{step}: the file {name} cannot be expressed and was left out.")
            else:
                form[name] = builder.gap(name, bool(parameter.get("required")))
    if form:
        call["data"] = form


def _preferred(content: Mapping[str, Any]) -> str | None:
    """The kind of body that an automation can send best."""
    plain = {str(kind).partition(";")[0].strip().lower(): str(kind) for kind in content}
    for kind, given in plain.items():
        if kind == "application/json" or kind.endswith("+json"):
            return given
    if _FORM in plain:
        return plain[_FORM]
    if "*/*" in plain or "application/*" in plain:
        return "application/json"
    return next((given for kind, given in plain.items() if kind.startswith("text/") or kind.endswith("xml")), None)


def _place(call: dict[str, Any], kind: str, value: Any) -> None:
    plain = kind.partition(";")[0].strip().lower()
    if plain == _FORM and isinstance(value, dict):
        call["data"] = value
        return
    is_json = plain == "application/json" or plain.endswith("+json")
    if is_json and isinstance(value, dict | list | str):
        call["json_body"] = value
    else:
        call["data"] = value if isinstance(value, str | dict) else str(value)
    if plain != "application/json":
        call.setdefault("headers", {})["Content-Type"] = kind


def _example(refs: References, media: Mapping[str, Any]) -> Any:
    if media.get("example") is not None:
        return media["example"]
    for example in as_map(media.get("examples")).values():
        shown = refs.map(example)
        if "value" in shown:
            return shown["value"]
    schema = refs.map(media.get("schema"))
    if schema.get("example") is not None:
        return schema["example"]
    for example in as_list(schema.get("examples")):
        return example
    return _NOTHING


class _Builder:
    """Values that fit a schema, with INPUT where the document does not say what to send."""

    def __init__(self, refs: References, inputs: Inputs) -> None:
        self._refs = refs
        self._inputs = inputs
        self._left = _MOST_SCHEMAS

    def gap(self, name: str, is_required: bool) -> str:
        if is_required:
            return f"{{{{ {reference(self._inputs.required(name))} }}}}"
        return f"{{{{ {optional(self._inputs.optional(name))} }}}}"

    def of_schema(self, schema: Any, name: str, is_top: bool = False, depth: int = 0) -> Any:
        """Examples, defaults and the only allowed values literally; required properties of objects; else a gap."""
        schema = self._refs.resolved(schema)
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return self.gap(name, True)
        self._count()
        for key in ("example", "const", "default"):
            if schema.get(key) is not None:
                return templates(schema[key])
        choices = schema.get("enum")
        if isinstance(choices, list) and len(choices) == 1:
            return templates(choices[0])
        properties, required = self._members(schema, depth)
        if not properties:
            return self.gap(name, True)
        chosen = [key for key in properties if key in required]
        if is_top and not chosen:
            return self.gap(name, True)  # nothing is said to be needed: the whole body comes from the input
        return {
            key: self.of_schema(properties[key], key if is_top else f"{name}_{key}", False, depth + 1) for key in chosen
        }

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise InvalidInput(f"The schema of a body has more than {_MOST_SCHEMAS} parts.")

    def _members(self, schema: Mapping[str, Any], depth: int) -> tuple[dict[str, Any], set[str]]:
        """Properties and required names, those of `allOf` and of the first of `oneOf`, `anyOf` included."""
        self._count()
        properties = dict(as_map(schema.get("properties")))
        required = {str(name) for name in as_list(schema.get("required"))}
        one_of, any_of = as_list(schema.get("oneOf"))[:1], as_list(schema.get("anyOf"))[:1]
        for part in [*as_list(schema.get("allOf")), *one_of, *any_of] if depth <= _DEEPEST else ():
            more, needed = self._members(self._refs.map(part), depth + 1)
            properties |= more
            required |= needed
        return {key: value for key, value in properties.items() if not as_map(value).get("readOnly")}, required
