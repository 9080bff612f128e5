"""The public tools for tests: virtual time, the store in memory, workflows run in process."""

import pytest

from ostro.model.actions import ActionFailed
from ostro.model.errors import Conflict, InvalidInput, NotFound
from ostro.model.records import Batch
from ostro.testing import MemoryStore, VirtualClock, Workflow, rows, run_workflow
from ostro.testing.store import at_once

DEPLOY = """
version: '2.0'
deploy:
  input: [host]
  output: {log: <% $.log %>}
  tasks:
    copy:
      action: std.ssh cmd="copy" host=<% $.host %>
      retry: {count: 3, delay: 10}
      publish: {log: <% task().result %>}
      on-error: report
    report: {action: my.report host=<% $.host %>}
"""


def test_a_workflow_with_functions_in_place_of_its_actions() -> None:
    result = run_workflow(
        DEPLOY, input={"host": "db1"}, actions={"std.ssh": lambda cmd, host: f"{cmd} to {host}", "my.report": print}
    )

    assert (result.state, result.output) == ("SUCCESS", {"log": "copy to db1"})
    assert result.states == {"copy": ["SUCCESS"]}


def test_failures_and_the_time_that_passes() -> None:
    reported: list[str] = []

    def fail(**_: object) -> None:
        raise ActionFailed({"code": 1})

    result = run_workflow(
        DEPLOY, input={"host": "db1"}, actions={"std.ssh": fail, "my.report": lambda host: reported.append(host)}
    )

    assert reported == ["db1"]
    assert (result.task("copy").attempts, result.task("copy").result) == (4, {"code": 1})
    assert result.seconds == 30


def test_a_workflow_that_waits_for_a_result_stays_running_and_goes_on_with_it() -> None:
    workflow = Workflow("version: '2.0'\nw: {tasks: {a: {action: std.async_noop, publish: {x: <% task().result %>}}}}")
    workflow.start()
    workflow.run()
    assert not workflow.is_over

    workflow.finish_action("a", "yes")
    assert (workflow.state, workflow.result().output) == ("SUCCESS", {"x": "yes"})


def test_what_the_api_would_refuse_is_refused() -> None:
    with pytest.raises(InvalidInput, match="missing"):
        run_workflow(DEPLOY)
    with pytest.raises(NotFound):
        run_workflow(DEPLOY, name="nobody")
    with pytest.raises(InvalidInput):
        run_workflow("version: '2.0'\nw: {}")


def test_an_unknown_task_has_no_result() -> None:
    result = run_workflow("version: '2.0'\nw: {tasks: {a: {action: std.noop}}}")
    with pytest.raises(KeyError):
        result.task("b")


def test_virtual_time_passes_only_when_told() -> None:
    clock = VirtualClock(start=1_000_000)
    clock.advance(1.5)
    clock.move_to(2_000_000)  # is over

    assert (clock.now(), clock.monotonic()) == (2_500_000, 1.5)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)


def test_the_store_shares_nothing_with_its_callers() -> None:
    store = MemoryStore()
    root = rows.execution()
    at_once(store.commit(Batch(new_executions=[root])))
    root.state = "ERROR"
    (stored,) = at_once(store.load_executions([root.id]))
    stored.record.state = "PAUSED"

    assert store.executions[root.id].state == "RUNNING"


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind() -> None:
    store = MemoryStore()
    first, other = rows.execution(), rows.execution()
    at_once(store.commit(Batch(new_executions=[first])))
    with pytest.raises(Conflict):
        at_once(store.commit(Batch(new_executions=[other, first])))

    assert list(store.executions) == [first.id]


def test_the_store_finds_own_definitions_before_public_ones() -> None:
    store = MemoryStore()
    public = rows.action_definition("a", project_id="other", scope="public")
    own = rows.action_definition("a")
    hidden = rows.action_definition("b", project_id="other")
    for record in (public, own, hidden):
        store.put_action(record)

    found = at_once(store.find_action("a", "", own.project_id))
    assert found is not None and found.id == own.id
    assert at_once(store.find_action("b", "", own.project_id)) is None
