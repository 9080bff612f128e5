"""What must hold when all is repaired and all work is done: nothing lost, nothing doubled, nothing stuck."""

import json
from collections import Counter, defaultdict
from typing import Any

from tests.faults.workflows import KINDS
from tests.faults.workload import Api, Workload


async def rows(api: Api, path: str, name: str) -> list[dict[str, Any]]:
    """All rows of a collection."""
    found: list[dict[str, Any]] = []
    marker = ""
    while True:
        page = (await api.call("GET", f"{path}{'&' if '?' in path else '?'}limit=10000{marker}"))[name]
        found += page
        if len(page) < 10_000:
            return found
        marker = f"&marker={page[-1]['id']}"


async def check(load: Workload, *, certain: bool = True) -> dict[str, int]:
    """Problems are an AssertionError that lists them. `certain`: no executor was killed or cut off, so what must not be
    done twice has been done. Returns counts for a report."""
    api = load.api
    problems: list[str] = list(api.unexpected)
    executions = {row["id"]: row for row in await rows(api, "/v2/executions?include_output=true", "executions")}
    tasks: dict[str, Counter[str]] = defaultdict(Counter)
    for task in await rows(api, "/v2/tasks?fields=id,name,state,workflow_execution_id", "tasks"):
        tasks[task["workflow_execution_id"]][task["name"]] += 1
        if task["state"] not in ("SUCCESS", "ERROR"):
            problems.append(f"task {task['id']} {task['name']} is {task['state']}")
    roots = {id for id, row in executions.items() if not row.get("task_execution_id")}
    problems += [f"accepted and lost: {id} {load.accepted[id]}" for id in load.accepted.keys() - roots]
    ticks = {id for id in roots if executions[id]["workflow_name"] == "ticked"}
    problems += [f"a tick ended {executions[id]['state']}" for id in ticks if executions[id]["state"] != "SUCCESS"]
    if len(ticks) != load.ticks:
        problems.append(f"the cron trigger has fired {len(ticks)} times instead of {load.ticks}")
    others = roots - load.accepted.keys() - ticks
    problems += [f"nobody started {id} {executions[id]['workflow_name']}" for id in others]
    unknown = 0
    for id, (name, key) in load.accepted.items():
        if id in executions:
            problems += judge(executions[id], tasks[id], name, key)
            unknown += '"unknown"' in (executions[id].get("output") or "")
    problems += _calls(load, executions)
    if certain and unknown:
        problems.append(f"{unknown} actions have an unknown outcome although no executor died")
    children = len(executions) - len(roots)
    expected = sum(KINDS[name].children for name, _ in load.accepted.values())
    if children != expected:
        problems.append(f"{children} sub-executions instead of {expected}")
    for key, ids in load.events.items():
        if len(ids) != 1:
            problems.append(f"event {key} started {len(ids)} executions")
    keys = Counter(key for kind, key in load.accepted.values() if kind == "triggered")
    problems += [f"event {key} has started {count} executions" for key, count in keys.items() if count > 1]
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:30]])
    return {"executions": len(executions), "tasks": sum(map(Counter.total, tasks.values())), "unknown": unknown}


def judge(row: dict[str, Any], tasks: Counter[str], name: str, key: str) -> list[str]:
    """Problems of one finished execution."""
    kind = KINDS[name]
    who = f"{name} {row['id']}"
    if row["state"] != "SUCCESS":
        return [f"{who} ended {row['state']}: {row.get('state_info')}"]
    output = json.loads(row.get("output") or "{}")
    found = [] if output in kind.outputs(key) else [f"{who} came to {output}"]
    expected = kind.tasks + Counter(["noted"] if output == {"how": "unknown"} else [])
    return found if tasks == expected else [*found, f"{who} has the tasks {dict(tasks)}"]


def _calls(load: Workload, executions: dict[str, Any]) -> list[str]:
    """What the peer heard against what it should have."""
    problems = []
    heard = dict(load.peer.calls)
    for id, (name, key) in load.accepted.items():
        kind = KINDS[name]
        for call in kind.calls(key):
            count = heard.pop(call, 0)
            is_unknown = '"unknown"' in (executions.get(id, {}).get("output") or "")
            if count == 0 and not is_unknown:
                problems.append(f"{name} {id} has ended without the call {call}")
            if kind.once and count > 1:
                problems.append(f"{name} {id} has called {count} times, once was allowed")
            if name == "retried" and count < 3:
                problems.append(f"{name} {id} has called {count} times instead of three")
    return problems + [f"nobody asked for the call {call}" for call in heard]
