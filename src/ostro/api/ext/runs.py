"""/v2/executions/{id}/waits and /timeline: what one execution waits for, and what happened in it when."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ostro.api.call import Answer, Call, json_answer
from ostro.api.mistral.executions import find
from ostro.api.mistral.query import refuse_unknown
from ostro.model.errors import Unavailable
from ostro.model.states import DELAYED, IDLE, PAUSED, WAITING
from ostro.model.times import iso
from ostro.model.waits import Wait
from ostro.ports.insight import AttemptSpan, TaskSpan

_MOST_WAITS: Final = 500
_MOST_TASKS: Final = 5000
_MOST_ATTEMPTS: Final = 20_000
_ATTEMPTS_OF_TASK: Final = 100
_IDLE_STATES: Final = frozenset({IDLE, WAITING, DELAYED, PAUSED})


async def read_waits(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    insight = call.services.extensions.insight
    if insight is None:
        raise Unavailable("This process cannot tell what executions wait for.")
    waits = await insight.waits(record)
    shown = [_wait(wait) for wait in waits[:_MOST_WAITS]]
    return json_answer({"waits": shown, "more": max(0, len(waits) - _MOST_WAITS)})


def _wait(wait: Wait) -> dict[str, Any]:
    return {
        "task_id": wait.task_id,
        "task": wait.task,
        "kind": wait.kind,
        "what": wait.what,
        "since": iso(wait.since),
        "until": iso(wait.until),
        "action_id": wait.action_id,
        "execution_id": wait.execution_id,
        "item": wait.item,
        "text": _text(wait),
    }


def _text(wait: Wait) -> str:
    match wait.kind:
        case "action":
            return "an executor runs its action"
        case "async-action":
            return "somebody has to complete its action"
        case "executor":
            return "waits for an executor" if wait.what == "any" else f"waits for the executor {wait.what}"
        case "timer":
            return _TIMERS.get(wait.what, "waits before its next request")
        case "pause":
            return "is paused: somebody has to resume it"
        case "join":
            return f"waits for {wait.what}"
        case "limit":
            return f"waits for a place: there are as many {wait.what} as a limit allows"
        case "child":
            return "waits for its sub-workflow"
    return "is about to go on"


_TIMERS: Final = {
    "wait-before": "waits before it begins",
    "wait-after": "waits before what follows",
    "retry": "waits before its next attempt",
    "delay": "waits until its time is over",
}


# ---------------------------------------------------------------- timeline


async def read_timeline(call: Call) -> Answer:
    refuse_unknown(call.query(), ())
    record = await find(call, call.params["id"])
    spans = await call.services.store.spans(record.id, _MOST_TASKS, _MOST_ATTEMPTS)
    moves = _moves(spans.history)
    attempts: dict[str, list[AttemptSpan]] = defaultdict(list)
    for attempt in spans.attempts:
        attempts[attempt.task_id].append(attempt)
    tasks = [_task(task, attempts[task.id], moves.get(task.id, [])) for task in spans.tasks]
    return json_answer(
        {
            "execution": {
                "id": record.id,
                "state": record.state,
                "created_at": iso(record.created_at),
                "finished_at": iso(record.finished_at),
            },
            "tasks": tasks,
            "pauses": list(_waits(moves.get("", []), frozenset({PAUSED}))),
            "more": spans.more,
        }
    )


def _moves(history: list[tuple[int, str]]) -> dict[str, list[tuple[int, str]]]:
    """(time, new state) by task; of the execution itself under ""."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for at, text in history:
        for entry in msgspec.json.decode(text):
            if entry[0] == "t":
                found[entry[1]].append((at, entry[2]))
            elif entry[0] == "w":
                found[""].append((at, entry[1]))
    return found


def _task(task: TaskSpan, attempts: list[AttemptSpan], moves: list[tuple[int, str]]) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "name": task.name,
        "type": task.type,
        "state": task.state,
        "created_at": iso(task.created_at),
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "attempts": [_attempt(n, one) for n, one in enumerate(attempts[:_ATTEMPTS_OF_TASK], 1)],
        "attempts_total": len(attempts),
        "waits": list(_waits(moves, _IDLE_STATES)),
    }


def _attempt(number: int, attempt: AttemptSpan) -> dict[str, Any]:
    return {
        "n": number,
        "id": attempt.id,
        "kind": "action" if attempt.is_action else "workflow",
        "index": attempt.idx,
        "name": attempt.name,
        "started_at": iso(attempt.created_at),
        "taken_at": iso(attempt.taken_at),
        "finished_at": iso(attempt.finished_at),
        "state": attempt.state,
        "accepted": attempt.accepted,
        "info": attempt.state_info,
    }


def _waits(moves: list[tuple[int, str]], states: frozenset[str]) -> Iterator[dict[str, Any]]:
    """The spans in one of those states; an open one ends with None. What one commit passed through is left out."""
    for place, (at, state) in enumerate(moves):
        if state in states:
            to = moves[place + 1][0] if place + 1 < len(moves) else None
            if to != at:
                yield {"state": state, "from": iso(at), "to": iso(to)}
