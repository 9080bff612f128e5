"""What a step keeps between commits: the progress of its items, and values that must not be evaluated again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ostro.core.codec import from_json, resolved, to_json
from ostro.core.graph import StepPlan
from ostro.core.state import Task, touch_task
from ostro.core.step_run import StepRun
from ostro.model.automation import RetryRules
from ostro.model.retry import Counters, counters_of, first_counters
from ostro.model.secrets import hidden_json

RETRY_TIMER: Final = "http-retry:"  # + the item's index: kind of the timer between two attempts
_INLINE: Final = 4096  # characters of JSON; larger values are stored by themselves


class Progress:
    """Where an item has got to: call `call` (of a list), attempt `attempt` of it, with the counters that are left.

    `earlier`: action executions that hold the responses of the calls before. `reached`: what a followed redirect has
    made of the request: {"url", "method", "no_body", "stripped"}.
    """

    __slots__ = ("attempt", "call", "counters", "earlier", "reached")

    def __init__(self, counters: Counters, call: int = 0, attempt: int = 1) -> None:
        self.counters = counters
        self.call = call
        self.attempt = attempt
        self.earlier: list[str] = []
        self.reached: dict[str, Any] | None = None


def plan_of(task: Task) -> StepPlan:
    assert task.node.step is not None
    return task.node.step


def progress(task: Task) -> dict[str, dict[str, Any]]:
    """By index, of the items whose first attempt is behind them."""
    found: dict[str, dict[str, Any]] = task.flags.get("http", {})
    return found


def progress_of(task: Task, idx: int, rules: RetryRules) -> Progress:
    data = task.flags.get("http", {}).get(str(idx))
    if data is None:
        return Progress(first_counters(rules))
    found = Progress(counters_of(data["counters"]), data.get("call", 0), data.get("attempt", 1))
    found.earlier = data.get("earlier", [])
    found.reached = data.get("reached")
    return found


def keep_progress(task: Task, idx: int, item: Progress) -> None:
    counters = item.counters
    data: dict[str, Any] = {
        "attempt": item.attempt,
        "counters": {name: getattr(counters, name) for name in counters.__struct_fields__},
    }
    if item.call:
        data["call"] = item.call
    if item.earlier:
        data["earlier"] = item.earlier
    if item.reached is not None:
        data["reached"] = item.reached
    task.flags.setdefault("http", {})[str(idx)] = data
    touch_task(task)


def remember(task: Task, name: str, value: Any, secrets: Sequence[str]) -> None:
    """Store a value with the task; a large one by itself. Secrets in it are lost by that."""
    text = hidden_json(to_json(value), secrets)
    if len(text) < _INLINE:
        task.flags[f"step_{name}"] = from_json(text)
    else:
        task.flags[f"step_{name}_blob"] = task.execution.tree.codec.put(text)
    touch_task(task)


def recall(task: Task, blobs: Mapping[str, str]) -> None:
    """After loading: what was remembered."""
    flags = task.flags
    step = task.node.step
    if step is not None and step.input is not None and not flags.keys() & {"step_input", "step_input_blob"}:
        return  # it is evaluated when the step begins
    run = task.step = StepRun(_recalled(flags, "input", blobs))
    if "step_result" in flags or "step_result_blob" in flags:
        run.has_result, run.result = True, _recalled(flags, "result", blobs)


def _recalled(flags: Mapping[str, Any], name: str, blobs: Mapping[str, str]) -> Any:
    blob = flags.get(f"step_{name}_blob")
    return flags.get(f"step_{name}") if blob is None else from_json(blobs[blob])


def remembered_blobs(flags: Mapping[str, Any]) -> list[str]:
    return [flags[name] for name in ("step_input_blob", "step_result_blob") if name in flags]


def earlier_outputs(task: Task, rows: Mapping[str, str | None], blobs: Mapping[str, str]) -> None:
    """After loading: responses of the calls that items have behind them. `rows`: outputs of finished attempts."""
    for key, data in task.flags.get("http", {}).items():
        texts = [rows.get(id) for id in data.get("earlier", ())]
        if texts and task.step is not None:
            task.step.earlier[int(key)] = [resolved(text, blobs) for text in texts if text is not None]
