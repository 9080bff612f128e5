"""Which notifications executions and tasks make."""

from typing import Any

import msgspec

from ostro.model.commands import ChangeExecution, FinishAction, RerunTask, StartExecution
from ostro.testing.engine import VirtualEngine

HOOK = {"type": "webhook", "url": "http://hook/"}
FAILING = """
version: '2.0'
w:
  tasks:
    a: {action: std.fail}
"""
WAITING = """
version: '2.0'
w:
  tasks:
    a: {action: std.async_noop}
"""


def run(text: str, *publishers: Any, name: str = "w") -> tuple[VirtualEngine, str]:
    engine = VirtualEngine()
    engine.upload(text)
    id = engine.new_id()
    engine.call(StartExecution(root_id=id, workflow=name, params={"notify": list(publishers)} if publishers else {}))
    return engine, id


def told(engine: VirtualEngine) -> list[tuple[str, str]]:
    """(event, name), in order."""
    bodies = [msgspec.json.decode(record.body) for record in engine.store.outbox]
    return [(body["event"], body["name"]) for body in bodies]


def test_nobody_asked() -> None:
    engine, _ = run("version: '2.0'\nw: {tasks: {a: {action: std.noop}}}")
    assert engine.store.outbox == []


def test_a_workflow_and_its_task_from_launch_to_success() -> None:
    engine, id = run("version: '2.0'\nw: {tasks: {a: {action: std.noop}}}", HOOK)
    assert told(engine) == [
        ("WORKFLOW_LAUNCHED", "w"),
        ("TASK_LAUNCHED", "a"),
        ("TASK_SUCCEEDED", "a"),
        ("WORKFLOW_SUCCEEDED", "w"),
    ]
    first, *_, last = engine.store.outbox
    assert first.destination == "http://hook/"
    assert msgspec.json.decode(first.publisher) == HOOK
    body = msgspec.json.decode(last.body)
    assert body["id"] == id
    assert (body["state"], body["root_execution_id"], body["workflow_name"]) == ("SUCCESS", None, "w")


def test_event_types_filter_and_each_publisher_is_told() -> None:
    engine, _ = run(FAILING, {**HOOK, "event_types": ["TASK_FAILED"]}, {"type": "noop"}, {"no": "type"}, "junk")
    assert [(r.destination, msgspec.json.decode(r.body)["event"]) for r in engine.store.outbox] == [
        ("noop", "WORKFLOW_LAUNCHED"),
        ("noop", "TASK_LAUNCHED"),
        ("http://hook/", "TASK_FAILED"),
        ("noop", "TASK_FAILED"),
        ("noop", "WORKFLOW_FAILED"),
    ]


def test_a_rerun_is_told_as_such() -> None:
    engine, id = run(FAILING, HOOK)
    task = next(iter(engine.store.tasks.values()))
    engine.store.outbox.clear()
    engine.call(RerunTask(root_id=id, execution_id=id, task_id=task.id))
    assert told(engine) == [
        ("WORKFLOW_RERUN", "w"),
        ("TASK_RERUN", "a"),
        ("TASK_FAILED", "a"),
        ("WORKFLOW_FAILED", "w"),
    ]


def test_pause_and_resume_and_cancel() -> None:
    engine, id = run(WAITING, HOOK)
    engine.store.outbox.clear()
    for state in ("PAUSED", "RUNNING", "CANCELLED"):
        engine.call(ChangeExecution(root_id=id, execution_id=id, state=state))
    workflow_events = [event for event, _ in told(engine) if event.startswith("WORKFLOW")]
    assert workflow_events == ["WORKFLOW_PAUSED", "WORKFLOW_RESUMED", "WORKFLOW_CANCELLED"]


def test_waits_of_policies_tell_nothing_and_retries_launch_again() -> None:
    text = """
version: '2.0'
w:
  tasks:
    a: {action: std.fail, wait-before: 1, retry: {count: 1, delay: 1}}
"""
    engine, _ = run(text, HOOK)
    while engine.fire():
        engine.settle()
    assert [event for event, name in told(engine) if name == "a"] == ["TASK_LAUNCHED", "TASK_LAUNCHED", "TASK_FAILED"]


def test_a_join_is_launched_when_it_runs_not_when_it_waits() -> None:
    text = """
version: '2.0'
w:
  tasks:
    a: {action: std.noop, on-success: j}
    b: {action: std.async_noop, on-success: j}
    j: {join: all, action: std.noop}
"""
    engine, id = run(text, HOOK)
    assert ("TASK_LAUNCHED", "j") not in told(engine)
    task = next(t for t in engine.store.tasks.values() if t.name == "b")
    action = next(a for a in engine.store.actions.values() if a.task_execution_id == task.id)
    engine.call(FinishAction(root_id=id, execution_id=id, task_id=task.id, action_id=action.id, state="SUCCESS"))
    assert [event for event, name in told(engine) if name == "j"] == ["TASK_LAUNCHED", "TASK_SUCCEEDED"]


def test_sub_workflows_tell_too() -> None:
    text = "version: '2.0'\nw: {tasks: {a: {workflow: sub}}}\nsub: {tasks: {x: {action: std.noop}}}"
    engine, id = run(text, HOOK)
    assert ("WORKFLOW_SUCCEEDED", "sub") in told(engine)
    body = next(b for r in engine.store.outbox if (b := msgspec.json.decode(r.body))["name"] == "sub")
    assert body["root_execution_id"] == id
    assert body["task_execution_id"] is not None


def test_publishers_survive_a_restart() -> None:
    engine, id = run(WAITING, HOOK)
    engine.crash()
    engine.store.outbox.clear()
    engine.call(ChangeExecution(root_id=id, execution_id=id, state="CANCELLED"))
    assert ("WORKFLOW_CANCELLED", "w") in told(engine)
