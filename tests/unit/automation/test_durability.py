"""Automations that lose their memory: crashes in waits, between attempts, with calls in flight; and secrets in rows."""

from collections.abc import Callable
from typing import Any

import pytest

from ostro.core.invariants import stored_violations
from ostro.engine.vault import FileVault
from ostro.model import commands as c
from tests.unit.automation.test_steps import FAN, RETRY, URL, automation, failing, odd_fail, ok, rerun, step
from tests.unit.automation.world import World, answer, broken

Disturb = Callable[[World], None]


def crash(world: World) -> None:
    world.crash()


def forget(world: World) -> None:
    """The tree leaves memory and is read again; executors keep what they have."""
    if world.root_id in world.engine.trees:
        world.engine.forget(world.root_id)
        world.engine.settle()


def nothing(world: World) -> None:
    pass


everything = pytest.mark.parametrize("disturb", [nothing, crash, forget])


def run_disturbed(world: World, disturb: Disturb) -> World:
    """As `World.run`, with a disturbance after every event."""
    while True:
        disturb(world)
        world.check()
        if not (world.serve(1) or world.fire()):
            return world


@everything
def test_waits_survive(disturb: Disturb) -> None:
    world = World(automation(step("s", retry=RETRY, output="o")), failing(3)).start()
    run_disturbed(world, disturb)
    assert (world.state, world.output) == ("SUCCESS", {"o": {"url": URL}})
    assert len(world.calls) == 4
    assert sum(world.waits) == pytest.approx(3.0)


@everything
def test_counters_survive(disturb: Disturb) -> None:
    world = World(automation(step("s", retry={**RETRY, "total": 3})), failing(99)).start()
    run_disturbed(world, disturb)
    assert (world.state, len(world.calls)) == ("ERROR", 4)


@everything
def test_a_fan_out_survives(disturb: Disturb) -> None:
    tries: dict[str, int] = {}

    def server(request: dict[str, Any]) -> dict[str, Any]:
        tries[request["url"]] = tries.get(request["url"], 0) + 1
        return answer(503) if tries[request["url"]] < int(request["url"][-1]) else ok(request)

    spec = {**FAN, "retry": {**RETRY, "backoff_factor": 0.25}}
    world = World(automation(spec, step("after", f"{URL}0", json_body="{{ o }}")), server).start({"v": [1, 2, 3, 4, 5]})
    run_disturbed(world, disturb)
    assert world.state == "SUCCESS", world.execution.state_info
    assert tries == {f"{URL}{n}": max(n, 1) for n in range(6)}
    assert [item["url"][-1] for item in world.output["o"]] == ["1", "2", "3", "4", "5"]


@everything
def test_responses_of_earlier_calls_survive(disturb: Disturb) -> None:
    calls = [
        {"url": f"{URL}{{{{ CURRENT_STEP.input }}}}"},
        {"url": f"{URL}b"},
        {"url": URL, "json_body": "{{ CURRENT_STEP.responses | map(attribute='content.url') | list }}"},
    ]
    world = World(automation({"name": "s", "apispec": calls, "input": "INPUT.v"}), ok).start({"v": [1, 2]})
    run_disturbed(world, disturb)
    assert world.state == "SUCCESS", world.execution.state_info
    assert [call["json_body"] for call in world.calls if "json_body" in call] == [
        [f"{URL}1", f"{URL}b"],
        [f"{URL}2", f"{URL}b"],
    ]


@everything
def test_the_input_is_evaluated_once(disturb: Disturb) -> None:
    spec = step("s", f"{URL}{{{{ CURRENT_STEP.input }}}}", input="{{ [uuid(), uuid(), uuid()] }}", output="o")
    world = World(automation(spec), ok).start()
    run_disturbed(world, disturb)
    assert len({call["url"] for call in world.calls}) == 3


@everything
def test_steps_are_read_back_for_later_templates(disturb: Disturb) -> None:
    later = step(
        "later",
        json_body={
            "codes": "{{ STEPS.s.response | map(attribute='status') | list }}",
            "texts": "{{ STEPS.s.response | map(attribute='text') | list }}",
            "input": "{{ STEPS.s.input }}",
            "own": "{{ STEPS['two words'].result }}",
        },
    )
    world = World(automation(FAN, step("two words", output="{{ 'x' * 3 }}"), later), ok).start({"v": [1, 2]})
    run_disturbed(world, disturb)
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.calls[-1]["json_body"] == {
        "codes": [200, 200],
        "texts": [f'{{"url":"{URL}1"}}', f'{{"url":"{URL}2"}}'],
        "input": [1, 2],
        "own": "xxx",
    }


@everything
def test_large_responses_and_inputs_survive(disturb: Disturb) -> None:
    big = "x" * 40_000

    def server(request: dict[str, Any]) -> dict[str, Any]:
        return answer(200, {"big": big, "n": request["url"][-1]})

    later = step("later", json_body="{{ STEPS.s.response | map(attribute='json.big') | map('length') | list }}")
    world = World(automation(FAN, later), server).start({"v": [{"a": big}, {"b": big}]})
    run_disturbed(world, disturb)
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.calls[-1]["json_body"] == [40_000, 40_000]


# ---------------------------------------------------------------- executors that are gone


@pytest.mark.parametrize(("method", "state"), [("GET", "SUCCESS"), ("POST", "ERROR")])
def test_a_call_that_may_have_begun_is_repeated_only_if_its_method_allows(method: str, state: str) -> None:
    world = World(automation(step("s", method=method)), ok).start()
    job = world.engine.jobs[0]
    taken = c.ActionTaken(
        root_id=world.root_id,
        execution_id=job.execution_id,
        task_id=job.task_id,
        action_id=job.action_id,
        attempt=job.attempt,
        executor="gone",
    )
    assert world.do(taken) is True
    world.crash()
    world.run()
    assert world.state == state


def test_a_call_that_had_not_begun_is_handed_out_again_whatever_its_method() -> None:
    world = World(automation(step("s", method="POST", headers={"X": "{{ USER.token }}"})), ok)
    world.start(user={"token": "secret-token"})
    world.crash()
    world.run()
    assert world.state == "SUCCESS"
    assert world.calls[0]["headers"] == {"X": "secret-token"}


def test_the_next_executor_of_a_silent_one_has_as_long() -> None:
    """Else the next look at silent actions, seconds later, would find it silent already."""
    world = World(automation(step("s", method="GET")), ok).start()
    job = world.engine.jobs.pop()
    report = {"root_id": world.root_id, "execution_id": job.execution_id, "task_id": job.task_id}
    assert world.do(c.ActionTaken(**report, action_id=job.action_id, attempt=1, executor="gone")) is True
    world.engine.clock.advance(310)
    world.do(
        c.FinishAction(**report, action_id=job.action_id, attempt=1, state="ERROR", result="silent", is_silent=True)
    )
    assert world.engine.jobs[-1].attempt == 2
    assert world.engine.store.actions[job.action_id].last_heartbeat == world.engine.clock.now()
    world.run()
    assert world.state == "SUCCESS"


def test_a_late_report_counts_for_nothing() -> None:
    world = World(automation(step("s", output="o")), ok).start()
    late = world.engine.jobs[0]
    world.crash()
    world.finish(late, answer(200, "late"))
    world.run()
    assert (world.state, world.output) == ("SUCCESS", {"o": {"url": URL}})


# ---------------------------------------------------------------- pause, cancel, stop


def change(world: World, state: str) -> None:
    world.do(c.ChangeExecution(root_id=world.root_id, execution_id=world.root_id, state=state))
    world.check()


@everything
def test_a_paused_workflow_makes_no_calls(disturb: Disturb) -> None:
    world = World(automation(step("s", retry={**RETRY, "backoff_factor": 1.0}, output="o")), failing(2)).start()
    world.serve()  # two failures: the third attempt waits
    change(world, "PAUSED")
    disturb(world)
    while world.fire():
        pass
    assert (world.state, len(world.calls), world.engine.jobs) == ("PAUSED", 2, [])
    disturb(world)
    change(world, "RUNNING")
    world.run()
    assert (world.state, len(world.calls)) == ("SUCCESS", 3)


@everything
def test_a_fan_out_can_be_paused(disturb: Disturb) -> None:
    world = World(automation(FAN), ok).start({"v": [1, 2, 3, 4]})
    change(world, "PAUSED")
    disturb(world)
    world.run()
    assert (world.state, len(world.calls)) == ("PAUSED", 2)
    disturb(world)
    change(world, "RUNNING")
    world.run()
    assert (world.state, len(world.calls)) == ("SUCCESS", 4)


@everything
@pytest.mark.parametrize("state", ["CANCELLED", "ERROR"])
def test_the_end_of_the_workflow_ends_its_waits(disturb: Disturb, state: str) -> None:
    world = World(automation({**FAN, "retry": RETRY}), lambda request: answer(503)).start({"v": [1, 2, 3]})
    world.serve(4)
    disturb(world)
    change(world, state)
    disturb(world)
    world.run()
    assert world.state == state
    assert [row.state for row in world.tasks] == [state]
    assert not world.engine.store.timers
    assert len(world.calls) == 4
    assert not world.engine.trees


@everything
def test_a_call_in_flight_ends_after_the_workflow(disturb: Disturb) -> None:
    world = World(automation(step("s", retry=RETRY)), lambda request: answer(503)).start()
    change(world, "CANCELLED")
    disturb(world)
    world.run()
    assert world.state == "CANCELLED"
    assert [row.state for row in world.tasks] == ["ERROR"]


def test_a_rerun_in_the_middle_of_nothing_left_behind() -> None:
    """The timers and counters of the run before do not count."""
    world = World(automation({**FAN, "retry": RETRY}), odd_fail).start({"v": [0, 1, 2]}).run()
    assert world.state == "ERROR"
    world.server = ok
    rerun(world, reset=False)
    assert world.state == "SUCCESS"
    assert not world.engine.store.timers


def test_rows_alone_say_what_is_to_be_done() -> None:
    world = World(automation({**FAN, "retry": RETRY}), failing(4)).start({"v": [1, 2, 3]})
    store = world.engine.store
    while world.serve(1) or world.fire():
        graph = world.engine.trees[world.root_id].executions[world.root_id].graph if world.engine.trees else None
        if graph is None:
            break
        from ostro.testing.store import at_once

        rows = at_once(store.load_executions([world.root_id]))
        found = stored_violations(
            rows, lambda one, graph=graph: graph, {i: t for i, (_, t) in store.blob_texts.items()}
        )
        assert not found, found
    assert world.state == "SUCCESS"


# ---------------------------------------------------------------- secrets


def test_the_token_is_in_no_row() -> None:
    token = 's3cr3t"\\token'

    def server(request: dict[str, Any]) -> dict[str, Any]:
        if request["url"].endswith("fail"):
            return broken("fatal", f"no {token} here")
        return answer(200, {"echo": request["headers"], "text": f"<{token}>"}, headers={"x-echo": token})

    headers = {"Authorization": "Bearer {{ USER.token }}", "X-Own": "{{ USER.token }}"}
    world = World(
        automation(
            step("a", headers=headers, output="a"),
            step("b", f"{URL}?t={{{{ USER.token }}}}", headers=headers, output="{{ {'t': USER.token} }}"),
            step("c", headers=headers, input="{{ [USER.token] }}", json_body={"t": "{{ CURRENT_STEP.input }}"}),
            step("d", f"{URL}fail", headers=headers),
        ),
        server,
    )
    world.start(user={"token": token})
    world.run()
    assert world.calls[0]["headers"] == {"Authorization": f"Bearer {token}", "X-Own": token}
    assert world.calls[2]["json_body"] == {"t": token}
    assert world.state == "ERROR"
    assert "no *** here" in (world.execution.state_info or "")
    stored = world.everything_stored()
    assert "s3cr3t" not in stored and "***" in stored
    assert world.output["t"] == "***"


def test_credentials_in_headers_are_not_shown() -> None:
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "cookie": "a=b", "X-Api-Key": "k3y", "Accept": "text/plain"}
    world = World(automation(step("s", headers=headers)), ok).start().run()
    assert world.calls[0]["headers"] == headers
    shown = world.actions[0].input
    assert '"Authorization":"Basic ***"' in shown and '"cookie":"***"' in shown and '"X-Api-Key":"***"' in shown
    assert '"Accept":"text/plain"' in shown


def test_the_token_survives_a_restart() -> None:
    world = World(automation(step("s", headers={"X": "{{ USER.token }}"}, retry=RETRY)), failing(2))
    world.start(user={"token": "secret-token"})
    run_disturbed(world, crash)
    assert [call["headers"]["X"] for call in world.calls] == ["secret-token"] * 3


def test_the_vault_keeps_its_key_in_a_file_of_its_owner(tmp_path: Any) -> None:
    path = tmp_path / "new" / "secret.key"
    sealed = FileVault(str(path)).seal("tökén")
    assert "tökén" not in sealed
    assert FileVault(str(path)).open(sealed) == "tökén"
    assert path.stat().st_mode & 0o777 == 0o600
    assert FileVault(None).open(sealed) is None
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]
