"""What Arazzo 1.0 says of its documents, as far as Ostro writes them: fields, which of them are needed, their shapes.
Anything else in a document is a mistake (extensions excepted, which are taken out first)."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]+$")]
OutputName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._\-]+$")]
Expression = Annotated[
    str,
    Meta(
        pattern=r"^\$(url|method|statusCode|response\.(body(#/.*)?|header\.[\w!#$%&'*+.^`|~-]+)"
        r"|inputs\.[^#{}]+(#/.*)?|steps\.[A-Za-z0-9_\-]+\.outputs\.[a-zA-Z0-9._\-]+(#/.*)?)$"
    ),
]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class Info(_Strict, kw_only=True):
    title: str
    version: str


class SourceDescription(_Strict, kw_only=True):
    name: Id
    url: str
    type: Literal["openapi", "arazzo"]


class Parameter(_Strict, kw_only=True):
    name: str
    place: Literal["path", "query", "header", "cookie"] = field(name="in")
    value: Any


class RequestBody(_Strict, kw_only=True):
    content_type: str
    payload: Any


class Criterion(_Strict, kw_only=True):
    condition: str


class FailureAction(_Strict, kw_only=True):
    name: str
    type: Literal["end", "retry", "goto"]
    retry_after: Annotated[float, Meta(ge=0)]
    retry_limit: Annotated[int, Meta(ge=0)]
    criteria: list[Criterion]


class Step(_Strict, kw_only=True):
    step_id: Id
    description: str
    operation_id: str
    parameters: list[Parameter] = []
    request_body: RequestBody | None = None
    success_criteria: Annotated[list[Criterion], Meta(min_length=1)]
    on_failure: list[FailureAction] = []
    outputs: dict[OutputName, Expression] = {}


class Workflow(_Strict, kw_only=True):
    workflow_id: Id
    summary: str
    inputs: dict[str, Any] = {}
    steps: Annotated[list[Step], Meta(min_length=1)]
    outputs: dict[OutputName, Expression] = {}


class Document(_Strict, kw_only=True):
    arazzo: Annotated[str, Meta(pattern=r"^1\.0\.\d+(-.+)?$")]
    info: Info
    source_descriptions: Annotated[list[SourceDescription], Meta(min_length=1)]
    workflows: Annotated[list[Workflow], Meta(min_length=1)]


def check(document: dict[str, Any], sources: dict[str, dict[str, Any]]) -> Document:
    """The document as typed values. Fails for what breaks the rules, references included."""
    plain = {key: value for key, value in document.items() if not key.startswith("x-")}
    parsed = msgspec.convert(plain, Document)
    [workflow] = parsed.workflows
    ids = [step.step_id for step in workflow.steps]
    assert len(ids) == len(set(ids))
    operations = {}
    for source in parsed.source_descriptions:
        openapi = sources[source.url.removeprefix("./")]
        for path, item in openapi["paths"].items():
            assert path.startswith("/")
            for operation in item.values():
                assert operation["operationId"] not in operations
                named = {p["name"] for p in operation.get("parameters", [])}
                assert named == set(re.findall(r"\{(.*?)\}", path))
                operations[operation["operationId"]] = (source.name, named)
    for index, step in enumerate(workflow.steps):
        source, _, operation = step.operation_id.rpartition(".")
        assert source.removeprefix("$sourceDescriptions.") in ("", operations[operation][0])
        assert {p.name for p in step.parameters if p.place == "path"} == operations[operation][1]
        keys = [(p.name, p.place) for p in step.parameters]
        assert len(keys) == len(set(keys))
        for text in _texts(msgspec.to_builtins(step)):
            for name in re.findall(r"\$inputs\.([\w.-]+)", text):
                assert name in workflow.inputs["properties"]
            for earlier, output in re.findall(r"\$steps\.([\w-]+)\.outputs\.([\w.-]+)", text):
                assert earlier in ids[:index]
                assert output in workflow.steps[ids.index(earlier)].outputs
    return parsed


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
