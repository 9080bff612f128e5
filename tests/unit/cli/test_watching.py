"""What is known of an execution that is watched from afar."""

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ostro.cli.views import Plain
from ostro.cli.watching import RemoteTree
from ostro.sdk.live import ExecutionEvent, TaskEvent
from ostro.sdk.models import Execution
from ostro.sdk.views import Report

BEGUN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


def tree() -> RemoteTree:
    return RemoteTree(Execution(id="root", workflow_name="flow", state="RUNNING", created_at=BEGUN))


def task(id: str, execution: str, state: str = "RUNNING", when: float = 1.0) -> TaskEvent:
    done = at(when) if state in ("SUCCESS", "ERROR") else None
    return TaskEvent(
        id=id, execution_id=execution, name=id, state=state, at=at(when), created_at=BEGUN, finished_at=done
    )


def execution(id: str, of_task: str | None, state: str = "RUNNING", when: float = 1.0) -> ExecutionEvent:
    return ExecutionEvent(
        id=id, state=state, workflow_name=id, task_execution_id=of_task, at=at(when), created_at=BEGUN
    )  # fmt: skip


def client(report: dict[str, Any]) -> Any:
    found = Report(root_workflow_execution=report)
    return SimpleNamespace(executions=SimpleNamespace(report=lambda id: found))


def entry(id: str, state: str, **more: Any) -> dict[str, Any]:
    times = {"created_at": "2026-01-31 12:00:00", "updated_at": "2026-01-31 12:00:02"}
    return {"id": id, "name": id, "state": state, **times, **more}


def names(watched: RemoteTree) -> Any:
    def below(node: Any) -> Any:
        return {f"{inner.name} {inner.state}": below(inner) for inner in watched.below(node)}

    return below(watched.root)


def test_events_build_the_tree_also_when_a_child_comes_first() -> None:
    watched = tree()
    assert watched.take(execution("sub", "t")) == [], "its task is not known yet"
    assert [node.name for node in watched.take(task("t", "root"))] == ["t"]
    assert [node.name for node in watched.take(task("inner", "sub"))] == ["inner"]
    assert names(watched) == {"t RUNNING": {"sub RUNNING": {"inner RUNNING": {}}}}


def test_what_is_no_news_is_not_told_again() -> None:
    watched = tree()
    watched.take(task("t", "root"))
    assert watched.take(task("t", "root")) == []
    assert [node.state for node in watched.take(task("t", "root", "SUCCESS"))] == ["SUCCESS"]


def test_other_branches_of_the_tree_are_not_ours() -> None:
    watched = tree()
    assert watched.take(task("elsewhere", "the real root")) == []
    assert names(watched) == {}


def test_a_report_adds_what_was_missed_and_keeps_exact_times() -> None:
    watched = tree()
    watched.take(task("t", "root", "SUCCESS", when=1.25))
    inner = entry("inner", "ERROR", state_info="no luck", retry_count=1)
    sub = entry("sub", "ERROR", task_executions=[inner])
    report = entry("root", "ERROR", task_executions=[entry("t", "SUCCESS", workflow_executions=[sub])])
    changed = watched.load(client(report))
    assert {node.name for node in changed} == {"inner", "root", "sub"}
    assert names(watched) == {"t SUCCESS": {"sub ERROR": {"inner ERROR": {}}}}
    [shown] = watched.below(watched.root)
    assert shown.ended == at(1.25).timestamp()


def test_lines_never_go_back_in_time() -> None:
    watched, stream = tree(), io.StringIO()
    view = Plain(stream)
    view.show(watched, watched.take(task("late", "root", "SUCCESS", when=2.5)))
    view.show(watched, watched.take(task("early", "root", "SUCCESS", when=1.0)))
    assert [line.split() for line in stream.getvalue().splitlines()] == [
        ["2.500", "SUCCESS", "task", "late"],
        ["2.500", "SUCCESS", "task", "early"],
    ]
