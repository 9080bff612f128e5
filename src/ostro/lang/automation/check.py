"""What concerns more than one field of an automation, and its templates."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ostro.lang.automation.models import MAX_CONCURRENCY, Step, Workflow, is_template
from ostro.lang.automation.places import Loc
from ostro.lang.findings import SECRET_CALL
from ostro.model.automation import RESERVED
from ostro.model.errors import ExpressionError

_TEMPLATED = ("url", "method", "headers", "params", "data", "json_body", "timeout")
# The keys of a map that an `output` writes, where they are plain texts: `{'name': ...` or `, "name": ...`.
_WRITTEN_KEY = re.compile(r"""[{,]\s*(['"])(\w+)\1\s*:""")

_SECRET_OUTSIDE = "secret() can be used in a call only (apispec): its value must not get anywhere else."


class ExpressionCheck(Protocol):
    """Raises ExpressionError for a template that cannot be compiled."""

    def __call__(self, text: str) -> None: ...


def check(
    workflow: Workflow, templates: ExpressionCheck | None, most: int = MAX_CONCURRENCY
) -> Iterator[tuple[Loc, str]]:
    """All findings as (place, message). `templates` checks expressions; None leaves them unchecked. `most`: the
    operator's limit of `concurrency`."""
    seen: set[str] = set()
    for index, step in enumerate(workflow.steps):
        at: Loc = ("steps", index)
        if step.name in seen:
            yield (*at, "name"), f"The name '{step.name}' is used by another step"
        seen.add(step.name)
        if step.concurrency > most:
            yield (*at, "concurrency"), f"Input should be less than or equal to {most}"
        yield from _output(step, at)
        for name, text in (("input", step.input), ("output", step.output)):
            if text is not None and SECRET_CALL.search(text):
                yield (*at, name), _SECRET_OUTSIDE
        if templates is not None:
            yield from _step_templates(step, at, templates)


def _output(step: Step, at: Loc) -> Iterator[tuple[Loc, str]]:
    output = step.output
    if output is None:
        return
    if not is_template(output):
        if output in RESERVED:
            yield (*at, "output"), f"The name {output} is reserved"
        return
    text = output.strip()
    if text.startswith("{{") and text[2:].lstrip().startswith("{"):
        reserved = next((key for _, key in _WRITTEN_KEY.findall(text) if key in RESERVED), None)
        if reserved is not None:
            yield (*at, "output"), f"The name {reserved} is reserved"


def _step_templates(step: Step, at: Loc, templates: ExpressionCheck) -> Iterator[tuple[Loc, str]]:
    if step.input is not None:
        yield from _one((*at, "input"), as_expression(step.input), templates)
    if step.output is not None and is_template(step.output):
        yield from _one((*at, "output"), step.output, templates)
    for number, call in enumerate(step.calls):
        place: Loc = (*at, "apispec", number) if isinstance(step.apispec, list) else (*at, "apispec")
        for name in _TEMPLATED:
            yield from _texts((*place, name), getattr(call, name), templates)


def as_expression(text: str) -> str:
    """The `input` of a step as a template: the braces may be left out."""
    text = text.strip()
    return text if is_template(text) else "{{ " + text + " }}"


def _texts(loc: Loc, value: Any, templates: ExpressionCheck) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        if is_template(value):
            yield from _one(loc, value, templates)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts((*loc, str(key)), inner, templates)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts((*loc, index), inner, templates)


def _one(loc: Loc, text: str, templates: ExpressionCheck) -> Iterator[tuple[Loc, str]]:
    try:
        templates(text)
    except ExpressionError as error:
        yield loc, error.message
