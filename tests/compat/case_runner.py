"""Runs one compatibility case over HTTP: definitions are uploaded, steps are taken in order, what is seen is compared.

A case (see `cases/*.yaml`) was recorded from OpenStack Mistral 23.0.0. Its steps:

    start: WORKFLOW (input, params, ...)      POST /v2/executions; saved as `as`, default `ex`
    wait: ex (state)                          until the execution is in that state, or finished
    task: NAME (of, state) · action: t (index, state) · child: t (index, state)     until there is one; saved as `as`
    request: METHOD PATH (json, text)         any request; `expect` compares status, fault, body
    check: ex (state, output, tasks, actions, children, ...)    until the execution looks like this

`${x.y}` is a field of something saved, any other `${name}` a name of this run. `{$has: texts}` matches a text that
contains them, `$notnull`, `$uuid` and the like what they say; other maps match if they have at least these entries.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx

PATIENCE = 30  # seconds; only a failure takes that long
FINAL = ("SUCCESS", "ERROR", "CANCELLED")
JSON_TEXTS = ("input", "output", "params", "published", "published_global", "runtime_context", "result", "variables")
WHOLE = {"output", "input", "published", "result", "published_global"}  # compared without leaving entries out
WORDS: dict[str, Callable[[Any], bool]] = {
    "$any": lambda value: True,
    "$notnull": lambda value: value is not None,
    "$nonempty": bool,
    "$string": lambda value: isinstance(value, str),
    "$uuid": lambda value: (
        isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value))
    ),
    "$timestamp": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value)),
}


class Mismatch(AssertionError):
    """What was seen is not what the case expects."""


def run_case(client: httpx.Client, case: dict[str, Any], unique: str) -> None:
    """Raises Mismatch at the first step that goes otherwise."""
    run = _Run(client, unique)
    for kind in ("actions", "workbooks", "workflows", "environments"):
        if kind in case:
            run.define(kind, case[kind])
    for number, step in enumerate(case["steps"], 1):
        try:
            run.take(step)
        except Mismatch as error:
            raise Mismatch(f"{case['id']}, step {number} {step}: {error}") from None


class _Run:
    def __init__(self, client: httpx.Client, unique: str) -> None:
        self._client = client
        self._unique = unique
        self._saved: dict[str, Any] = {}

    def define(self, kind: str, what: Any) -> None:
        for one in what if isinstance(what, list) else [what]:
            if kind == "environments":
                answer = self._client.post("/v2/environments", json=self._filled(one))
            else:
                text = self._filled(one)
                answer = self._client.post(f"/v2/{kind}", content=text, headers={"Content-Type": "text/plain"})
            _same(201, answer.status_code, answer.text)

    def take(self, step: dict[str, Any]) -> None:
        kind = next(word for word in ("start", "wait", "check", "task", "action", "child", "request") if word in step)
        getattr(self, f"_{kind}")(step)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            whole = re.fullmatch(r"\$\{([\w.]+)\}", value)
            if whole:
                return self._lookup(whole[1])
            return re.sub(r"\$\{([\w.]+)\}", lambda found: str(self._lookup(found[1])), value)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {self._filled(key): self._filled(item) for key, item in value.items()}
        return value

    def _lookup(self, name: str) -> Any:
        first, *rest = name.split(".")
        if first not in self._saved:
            return f"{name}_{self._unique}"
        value = self._saved[first]
        for key in rest:
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    def _get(self, path: str) -> Any:
        answer = self._client.get(path)
        _same(200, answer.status_code, answer.text)
        return answer.json()

    def _until(self, look: Callable[[], Any]) -> Any:
        """The first answer of `look` that does not raise Mismatch."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return look()
            except Mismatch:
                if time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def _start(self, step: dict[str, Any]) -> None:
        body = {key: value for key, value in step.items() if key not in ("start", "as", "expect")}
        answer = self._client.post("/v2/executions", json=self._filled(body | {"workflow_name": step["start"]}))
        self._expect(step.get("expect", {"status": 201}), answer)
        if answer.status_code == 201:
            self._saved[step.get("as", "ex")] = answer.json()

    def _wait(self, step: dict[str, Any]) -> None:
        wanted = step.get("state", FINAL)

        def look() -> None:
            seen = self._get(f"/v2/executions/{self._saved[step['wait']]['id']}")
            if seen["state"] not in ((wanted,) if isinstance(wanted, str) else wanted):
                raise Mismatch(f"the execution is {seen['state']}: {seen['state_info']}")
            self._saved[step["wait"]] = seen

        self._until(look)

    def _find(self, step: dict[str, Any], path: str, rows: str, name: str, default: str) -> None:
        def look() -> Any:
            found = [
                row
                for row in self._get(path)[rows]
                if (not name or row["name"] == name) and step.get("state", row["state"]) == row["state"]
            ]
            if len(found) <= step.get("index", 0):
                raise Mismatch(f"not enough {rows}: {found}")
            return found[step.get("index", 0)]

        self._saved[step.get("as", default)] = self._until(look)

    def _task(self, step: dict[str, Any]) -> None:
        execution = self._saved[step.get("of", "ex")]["id"]
        self._find(step, f"/v2/executions/{execution}/tasks", "tasks", step["task"], "t")

    def _action(self, step: dict[str, Any]) -> None:
        path = f"/v2/tasks/{self._saved[step['action']]['id']}/action_executions"
        self._find(step, path, "action_executions", "", "a")

    def _child(self, step: dict[str, Any]) -> None:
        path = f"/v2/tasks/{self._saved[step['child']]['id']}/workflow_executions"
        self._find(step, path, "executions", "", "sub")

    def _request(self, step: dict[str, Any]) -> None:
        method, _, path = self._filled(step["request"]).partition(" ")
        if "text" in step:
            headers = {"Content-Type": "text/plain"}
            answer = self._client.request(method, path, content=self._filled(step["text"]), headers=headers)
        elif "json" in step:
            answer = self._client.request(method, path, json=self._filled(step["json"]))
        else:
            answer = self._client.request(method, path)
        self._expect(step.get("expect", {}), answer)
        if "as" in step:
            self._saved[step["as"]] = answer.json()

    def _expect(self, expected: dict[str, Any], answer: httpx.Response) -> None:
        _same(expected.get("status", answer.status_code), answer.status_code, answer.text)
        if "fault" in expected:
            _match(self._filled(expected["fault"]), answer.json()["faultstring"], "faultstring")
        if "body" in expected:
            _match(self._filled(expected["body"]), answer.json(), "body")

    def _check(self, step: dict[str, Any]) -> None:
        expected = self._filled({key: value for key, value in step.items() if key not in ("check", "within")})
        id = self._saved[step["check"]]["id"]
        self._until(lambda: _match(expected, self._whole(id, expected), "execution"))

    def _whole(self, id: str, expected: dict[str, Any]) -> dict[str, Any]:
        """An execution with all its tasks, their actions and sub-executions."""
        seen = _decoded(self._get(f"/v2/executions/{id}"))
        seen["tasks"] = [_decoded(task) for task in self._get(f"/v2/executions/{id}/tasks")["tasks"]]
        if any("result" in task for task in expected.get("tasks", ())):
            seen["tasks"] = [_decoded(self._get(f"/v2/tasks/{task['id']}")) for task in seen["tasks"]]
        seen["actions"], seen["children"] = [], []
        for task in seen["tasks"]:
            path = f"/v2/tasks/{task['id']}"
            for row in self._get(f"{path}/action_executions?include_output=true")["action_executions"]:
                seen["actions"].append(_decoded(row) | {"task": task["name"]})
            if task["type"] == "WORKFLOW" and "children" in expected:
                for row in self._get(f"{path}/workflow_executions")["executions"]:
                    below = next(iter(expected["children"]), {})
                    seen["children"].append(self._whole(row["id"], below) | {"task": task["name"]})
        return seen


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    """With what JSON texts hold in their place."""
    return {
        key: json.loads(value) if key in JSON_TEXTS and isinstance(value, str) else value for key, value in row.items()
    }


def _same(expected: int, seen: int, text: str) -> None:
    if expected != seen:
        raise Mismatch(f"expected status {expected}, got {seen}: {text[:500]}")


def _match(expected: Any, seen: Any, place: str, whole: bool = False) -> None:
    """Raises Mismatch that names the place. Numbers, booleans and texts never equal each other."""
    if isinstance(expected, str) and expected in WORDS:
        if not WORDS[expected](seen):
            raise Mismatch(f"{place}: expected {expected}, got {seen!r}")
    elif isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)).startswith("$"):
        [(operator, value)] = expected.items()
        _operate(operator, value, seen, place, whole)
    elif isinstance(expected, dict) and isinstance(seen, dict):
        for key, value in expected.items():
            if key not in seen:
                raise Mismatch(f"{place}.{key} is missing, expected {value!r}")
            if key in ("tasks", "actions", "children") and place.startswith("execution"):
                _match_all(value, seen[key], f"{place}.{key}")
            else:
                _match(value, seen[key], f"{place}.{key}", whole or (key in WHOLE and place.startswith("execution")))
        if whole and seen.keys() - expected.keys():
            raise Mismatch(f"{place}: not expected { ({key: seen[key] for key in seen.keys() - expected.keys()})!r}")
    elif isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        for number, (one, other) in enumerate(zip(expected, seen, strict=True)):
            _match(one, other, f"{place}[{number}]", whole)
    elif type(expected) is not type(seen) or expected != seen:
        raise Mismatch(f"{place}: expected {expected!r}, got {seen!r}")


def _operate(operator: str, value: Any, seen: Any, place: str, whole: bool) -> None:
    if operator == "$has":
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(seen, str) or part not in seen:
                raise Mismatch(f"{place}: expected a text with {part!r}, got {seen!r}")
    elif operator == "$json":
        _match(value, json.loads(seen), place, whole)
    elif operator == "$exact":
        _match(value, seen, place, whole=True)
    else:
        raise ValueError(f"unknown matcher {operator}")


def _match_all(expected: list[Any], seen: list[Any], place: str) -> None:
    """Each row by one of those expected, in any order: rows that differ only in more or fewer details are few."""
    left = list(seen)
    for one in sorted(expected, key=lambda row: -len(json.dumps(row))):
        problems = []
        for row in left:
            try:
                _match(one, row, place)
            except Mismatch as problem:
                problems.append(str(problem))
            else:
                left.remove(row)
                break
        else:
            raise Mismatch(f"{place}: nothing is like {one}: {problems}")
    if left:
        raise Mismatch(f"{place}: not expected: {left}")
