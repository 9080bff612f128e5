"""The workflow that stands for an automation, as a text for people: nothing is compiled from it."""

import re
from typing import Any

import yaml

from ostro.lang.automation.check import as_expression
from ostro.model.automation import AutomationSpec, StepSpec

_PATH = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def workflow_data(spec: AutomationSpec) -> dict[str, Any]:
    """The generated workflow as plain data, without its version."""
    tasks = {}
    for index, step in enumerate(spec.steps):
        following = spec.steps[index + 1].task if index + 1 < len(spec.steps) else None
        tasks[step.task] = _task(step, index, following)
    return {"type": "direct", "tags": ["automation"], "input": [{"INPUT": {}}], "tasks": tasks}


def workflow_text(spec: AutomationSpec) -> str:
    data = {"version": "2.0", spec.workflow_name: workflow_data(spec)}
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _task(step: StepSpec, index: int, following: str | None) -> dict[str, Any]:
    task: dict[str, Any] = {"action": "std.http_step", "input": {"step": index}, "tags": [f"step:{step.name}"]}
    if step.input is not None:
        task["with-items"] = f"item in {_items(step.input)}"
        task["concurrency"] = step.concurrency
        task["input"]["item"] = "<% $.item %>"
    if following is not None:
        task["on-success"] = [following]
        task["on-skip"] = [following]
    return task


def _items(text: str) -> str:
    """A plain path is written as the other language does; anything else stays Jinja."""
    expression = as_expression(text)
    path = _PATH.fullmatch(expression)
    return f"<% $.{path.group(1)} %>" if path else " ".join(expression.split())
