"""Random workflows: every clause of the language that the engine must carry, in combinations nobody would write."""

import json
import random
from typing import Any

# Sub-workflows: a leaf that always ends by itself, one that waits for a result, one that fails.
_CHILDREN: dict[str, Any] = {
    "leaf": {
        "input": [{"n": 1}],
        "output": {"got": "<% $.n %>"},
        "tasks": {
            "l1": {"action": "std.echo output=<% $.n %>", "on-success": "l2"},
            "l2": {"action": "sim.run", "safe-rerun": True},
        },
    },
    "slow": {
        "tasks": {
            "s1": {"action": "std.async_noop", "on-success": "s2"},
            "s2": {"action": "std.sleep seconds=2"},
        }
    },
    "bad": {"tasks": {"b1": {"action": "std.fail"}}, "output-on-error": {"why": "bad"}},
    "nested": {"tasks": {"n1": {"workflow": "slow", "on-complete": "n2"}, "n2": {"workflow": "leaf"}}},
}


def workflow(rng: random.Random, plain: bool = False) -> str:
    """A text with the workflow `main` and its sub-workflows, as JSON (which is YAML). `plain`: nothing whose outcome
    depends on the order of events, so that a run with crashes must end as one without."""
    main = _reverse(rng) if rng.random() < 0.1 and not plain else _direct(rng, plain)
    return json.dumps({"version": "2.0", "main": main, **_CHILDREN})


def _direct(rng: random.Random, plain: bool) -> dict[str, Any]:
    count = rng.randint(2, 9)
    names = [f"t{number}" for number in range(count)]
    tasks: dict[str, Any] = {}
    for place, name in enumerate(names):
        task = _task(rng, plain)
        later = names[place + 1 :]
        if later and rng.random() < 0.85:
            _transitions(rng, task, later, plain)
        tasks[name] = task
    if not plain and rng.random() < 0.3 and count > 2:
        _loop(rng, tasks, names)
    _joins(rng, tasks, plain)
    main: dict[str, Any] = {"tasks": tasks, "vars": {"seen": 0}}
    if rng.random() < 0.3:
        main["output-on-error"] = {"state": "failed"}
    if rng.random() < 0.2 and not plain:
        main["task-defaults"] = rng.choice(
            [{"on-error": ["noop"]}, {"retry": {"count": 1, "delay": 1}}, {"timeout": 20}, {"wait-before": 1}]
        )
    return main


def _reverse(rng: random.Random) -> dict[str, Any]:
    names = [f"t{number}" for number in range(rng.randint(2, 6))]
    tasks = {}
    for place, name in enumerate(names):
        task = _task(rng, plain=False)
        earlier = names[:place]
        if earlier and rng.random() < 0.8:
            task["requires"] = rng.sample(earlier, rng.randint(1, min(3, len(earlier))))
        tasks[name] = task
    return {"type": "reverse", "tasks": tasks}


def _task(rng: random.Random, plain: bool) -> dict[str, Any]:
    task: dict[str, Any] = {}
    kind = rng.random()
    if kind < 0.3:
        task["action"] = "std.echo output=1"
    elif kind < 0.4:
        task["action"] = "std.fail"
    elif kind < 0.55:
        task["action"] = "sim.run"
        task["safe-rerun"] = True if plain else rng.choice([True, False])
    elif kind < 0.65:
        task["action"] = "std.async_noop"
    elif kind < 0.72:
        task["action"] = "std.sleep seconds=3"
    elif kind < 0.92:
        task["workflow"] = rng.choice(["leaf", "leaf", "slow", "bad", "nested"])
    else:
        task["action"] = "std.noop"
    if rng.random() < 0.2:
        task["with-items"] = f"i in <% range({rng.choice([0, 1, 2, 3, 5])}) %>"
        if rng.random() < 0.5:
            task["concurrency"] = rng.randint(1, 3)
    task.setdefault("publish", {"seen": "<% $.seen + 1 %>" if not plain else 1, rng.choice("xyz"): rng.randint(0, 9)})
    _policies(rng, task, plain)
    return task


def _policies(rng: random.Random, task: dict[str, Any], plain: bool) -> None:
    if rng.random() < 0.15:
        retry: dict[str, Any] = {"count": rng.randint(1, 3), "delay": rng.randint(0, 2)}
        if rng.random() < 0.3:
            retry["continue-on"] = rng.choice(["<% true %>", "<% false %>"])
        if rng.random() < 0.3:
            retry["break-on"] = rng.choice(["<% true %>", "<% false %>"])
        task["retry"] = retry
    if rng.random() < 0.1:
        task["wait-before"] = rng.randint(0, 2)
    if rng.random() < 0.1:
        task["wait-after"] = rng.randint(0, 2)
    if rng.random() < 0.1:
        task["fail-on"] = rng.choice(["<% true %>", "<% false %>"])
    if plain:
        return
    if rng.random() < 0.12:
        task["timeout"] = rng.randint(1, 6)
    if rng.random() < 0.06:
        task["pause-before"] = True
    if rng.random() < 0.05:
        task["keep-result"] = False
    if rng.random() < 0.04:
        task["publish"] = {"bad": "<% $.nothing_here %>"}


def _transitions(rng: random.Random, task: dict[str, Any], later: list[str], plain: bool) -> None:
    for clause, chance in (("on-success", 0.8), ("on-error", 0.4), ("on-complete", 0.25), ("on-skip", 0.1)):
        if rng.random() > chance:
            continue
        targets: list[Any] = []
        for target in rng.sample(later, rng.randint(1, min(3, len(later)))):
            guard = rng.random()
            if guard < 0.7:
                targets.append(target)
            else:
                targets.append({target: rng.choice(["<% true %>", "<% false %>"])})
        if not plain and rng.random() < 0.12:
            targets.insert(rng.randint(0, len(targets)), rng.choice(["fail", "succeed", "pause", "noop"]))
        task[clause] = targets


def _loop(rng: random.Random, tasks: dict[str, Any], names: list[str]) -> None:
    """A way back, bounded by a counter in the context."""
    end = rng.randint(1, len(names) - 1)
    start = rng.randint(0, end)
    clause = tasks[names[end]].setdefault("on-success", [])
    clause.append({names[start]: "<% $.get(seen, 0) < 12 %>"})
    if start == 0:  # there must be a start task
        tasks["t_first"] = {"action": "std.noop", "on-success": [names[0]]}


def _joins(rng: random.Random, tasks: dict[str, Any], plain: bool) -> None:
    for name, task in tasks.items():
        inbound = [source for source, other in tasks.items() if _leads_to(other, name)]
        if len(inbound) > 1 and rng.random() < (1.0 if plain else 0.7):
            if plain:
                task["join"] = "all"
            else:
                task["join"] = rng.choice(["all", "all", "one", rng.randint(1, len(inbound))])
        elif len(inbound) == 1 and rng.random() < 0.1:
            task["join"] = "all"


def _leads_to(task: dict[str, Any], name: str) -> bool:
    for clause in ("on-success", "on-error", "on-complete", "on-skip"):
        for target in task.get(clause, ()):
            if target == name or (isinstance(target, dict) and name in target):
                return True
    return False
