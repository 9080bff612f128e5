"""Running automations: order, input, output, retries, failures, as the reference says (sections 3 and 4)."""

from typing import Any

import pytest

from ostro.model import commands as c
from tests.unit.automation.world import World, answer, broken

URL = "http://a.test/"


def step(name: str, url: str = URL, **more: Any) -> dict[str, Any]:
    call = {
        key: more.pop(key) for key in ("method", "headers", "params", "data", "json_body", "timeout") if key in more
    }
    return {"name": name, "apispec": {"url": url, **call}, **more}


def automation(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "w", "steps": list(steps), **more}


def ok(request: dict[str, Any]) -> dict[str, Any]:
    return answer(200, {"url": request["url"]})


def run(*steps: dict[str, Any], server: Any = ok, input: Any = None, user: Any = None, **more: Any) -> World:
    return World(automation(*steps, **more), server).start(input, user).run()


# ---------------------------------------------------------------- order, state


def test_steps_follow_one_another_and_the_output_is_what_they_wrote() -> None:
    world = run(step("first", output="a"), step("second", f"{URL}{{{{ a.url | length }}}}", output="b"), step("third"))
    assert world.state == "SUCCESS"
    assert [call["url"] for call in world.calls] == [URL, f"{URL}14", URL]
    assert world.output == {"a": {"url": URL}, "b": {"url": f"{URL}14"}}
    assert [row.name for row in world.tasks] == ["first", "second", "third"]


def test_templates_see_the_reserved_names() -> None:
    first = step(
        "first", json_body={"in": "{{ INPUT.x }}", "who": "{{ USER.userid }}", "ws": "{{ USER.workspace_id }}"}
    )
    second = step(
        "two words",
        json_body="{{ {'name': CURRENT_STEP.name, 'index': CURRENT_STEP.index, 'attempt': CURRENT_STEP.attempt, "
        "'state': STEPS.first.state, 'status': STEPS['first'].response.status} }}",
    )
    world = run(first, second, input={"x": [1]}, user={"user_id": "u", "workspace_id": "w"})
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.calls[0]["json_body"] == {"in": [1], "who": "u", "ws": "w"}
    assert world.calls[1]["json_body"] == {
        "name": "two words", "index": 1, "attempt": 1, "state": "SUCCESS", "status": 200,
    }  # fmt: skip


def test_system_apis_are_taken_when_the_run_starts() -> None:
    world = World(automation(step("s", "{{ SYSTEM_APIS.users }}/x")), ok, system_apis={"users": "http://users.test"})
    world.start()
    world.engine.system_apis = {"users": "http://other.test"}
    world.run()
    assert world.calls[0]["url"] == "http://users.test/x"


def test_an_unknown_name_fails_the_step_without_a_call() -> None:
    world = run(step("s", "http://{{ nowhere.host }}/"))
    assert (world.state, world.calls) == ("ERROR", [])
    assert "Step 's': Can not evaluate Jinja expression" in (world.execution.state_info or "")
    assert "'nowhere' is undefined" in (world.execution.state_info or "")


def test_a_call_field_that_cannot_be_used_fails_the_step() -> None:
    world = run(step("s", headers="{{ INPUT.h }}"), input={"h": [1]})
    assert world.state == "ERROR"
    assert "The headers must be a map" in (world.task("s").state_info or "")


# ---------------------------------------------------------------- input


@pytest.mark.parametrize(("value", "calls"), [([], 0), ([1, 2, 3], 3), ({"a": 1}, 1), ("text", 1), (7, 1), (None, 1)])
def test_a_list_fans_out_and_anything_else_is_one_call(value: Any, calls: int) -> None:
    world = run(step("s", input="INPUT.v", json_body={"v": "{{ CURRENT_STEP.input }}"}, output="o"), input={"v": value})
    assert world.state == "SUCCESS"
    items = value if isinstance(value, list) else [value]
    assert [call["json_body"]["v"] for call in world.calls] == items
    assert len(world.calls) == calls
    assert isinstance(world.output["o"], list) == isinstance(value, list)


def test_at_most_concurrency_calls_are_in_flight() -> None:
    world = World(automation(step("s", input="INPUT.v", concurrency=3)), ok).start({"v": list(range(10))})
    seen = []
    while world.engine.jobs:
        seen.append(len(world.engine.jobs))
        world.serve(1)
        world.check()
    assert max(seen) == 3
    assert world.state == "SUCCESS"


def test_results_of_a_fan_out_are_in_the_order_of_the_items() -> None:
    world = World(
        automation(step("s", f"{URL}{{{{ CURRENT_STEP.input }}}}", input="INPUT.v", concurrency=3, output="o")), ok
    )
    world.start({"v": [1, 2, 3]})
    world.engine.jobs.reverse()
    world.run()
    assert world.output["o"] == [{"url": f"{URL}{n}"} for n in (1, 2, 3)]


# ---------------------------------------------------------------- output


def test_a_map_writes_its_entries() -> None:
    output = "{{ {'n': CURRENT_STEP.response.json.url | length, 's': CURRENT_STEP.response.status_code} }}"
    assert run(step("s", output=output)).output == {"n": 14, "s": 200}


def test_anything_else_is_the_steps_result_under_its_name() -> None:
    world = run(
        step("s", output="{{ CURRENT_STEP.result.url | upper }}"),
        step("two words", output="{{ 7 }}"),
        step("t", json_body={"s": "{{ s }}", "r": "{{ STEPS.s.result }}", "w": "{{ STEPS['two words'].result }}"}),
    )
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.calls[2]["json_body"] == {"s": URL.upper(), "r": URL.upper(), "w": 7}
    assert world.output == {"s": URL.upper()}


def test_a_reserved_name_in_a_computed_map_fails_the_step() -> None:
    world = run(step("s", output="{{ dict(INPUT.m) }}"), input={"m": {"USER": 1}})
    assert world.state == "ERROR"
    assert "reserved name USER" in (world.task("s").state_info or "")


def test_an_output_that_cannot_be_evaluated_fails_the_step() -> None:
    world = run(step("s", output="{{ CURRENT_STEP.response.json.missing }}"))
    assert world.state == "ERROR"
    assert world.task("s").state_info.startswith("Step 's': Can not evaluate")  # type: ignore[union-attr]


def test_the_output_of_a_fan_out_sees_all_responses() -> None:
    output = (
        "{{ {'codes': CURRENT_STEP.response | map(attribute='status') | list, 'n': CURRENT_STEP.result | length} }}"
    )
    world = run(step("s", input="INPUT.v", output=output), input={"v": [1, 2]})
    assert world.output == {"codes": [200, 200], "n": 2}


# ---------------------------------------------------------------- retry


def failing(times: int, report: Any = None) -> Any:
    left = [times]

    def server(request: dict[str, Any]) -> dict[str, Any]:
        left[0] -= 1
        if left[0] >= 0:
            return report if report is not None else answer(503)
        return ok(request)

    return server


RETRY = {"total": 5, "status_forcelist": [503], "backoff_factor": 0.5}


def test_each_attempt_is_an_action_execution_and_waits_are_timers() -> None:
    world = run(step("s", retry=RETRY, output="o", json_body={"n": "{{ CURRENT_STEP.attempt }}"}), server=failing(3))
    assert world.state == "SUCCESS"
    assert [(row.state, row.accepted) for row in world.actions] == [("ERROR", False)] * 3 + [("SUCCESS", True)]
    assert [call["json_body"]["n"] for call in world.calls] == [1, 2, 3, 4]
    assert world.waits == [1.0, 2.0]  # none before the second attempt


def test_an_exhausted_step_names_step_and_cause() -> None:
    world = run(step("s", retry={**RETRY, "total": 2}), server=failing(9))
    assert world.state == "ERROR"
    assert "Max retries exceeded with url: http://a.test/ (Caused by too many 503 error responses)" in (
        world.task("s").state_info or ""
    )
    assert [row.accepted for row in world.actions] == [False, False, True]


def test_the_default_retry_counts_for_steps_without_one() -> None:
    world = run(step("s"), server=failing(1), default_retry=RETRY)
    assert (world.state, len(world.calls)) == ("SUCCESS", 2)


def test_connect_errors_are_retried_for_every_method_read_errors_are_not() -> None:
    assert len(run(step("s", method="POST"), server=failing(2, broken("connect"))).calls) == 3
    world = run(step("s", method="POST"), server=failing(2, broken("read", "reset")))
    assert (world.state, len(world.calls)) == ("ERROR", 1)
    assert world.task("s").state_info == "Step 's': reset"


def test_a_refused_address_is_never_retried() -> None:
    world = run(step("s"), server=failing(9, broken("fatal", "URL host 'x' resolves to a blocked address (10.0.0.1).")))
    assert (world.state, len(world.calls)) == ("ERROR", 1)
    assert "blocked" in (world.task("s").state_info or "")


def test_raise_on_status_false_makes_every_response_a_result() -> None:
    world = run(step("s", retry={"raise_on_status": False}, output="o"), server=lambda request: answer(500, "oops"))
    assert (world.state, world.output) == ("SUCCESS", {"o": "oops"})


def test_redirects_are_charged_and_the_retry_goes_on_where_they_led() -> None:
    reached = {"url": "http://b.test/y", "method": "GET", "no_body": True, "stripped": True}
    report = answer(503, redirects=2, method="GET", url=reached["url"], reached=reached)
    world = run(
        step(
            "s",
            method="POST",
            json_body={"a": 1},
            params={"q": 1},
            headers={"Authorization": "x", "X": "y"},
            retry=RETRY,
        ),
        server=failing(1, report),
    )
    assert world.state == "SUCCESS"
    assert world.calls[1] == {"method": "GET", "url": "http://b.test/y", "headers": {"X": "y"}, "timeout": 60}
    assert world.waits == []


def test_the_action_is_told_how_many_redirects_are_left() -> None:
    for retry, expected in (
        ({"total": 3}, 3),
        ({"total": 3, "redirect": 1}, 1),
        ({"total": False}, 0),
        ({"total": None}, None),
    ):
        world = World(automation(step("s", retry=retry)), ok).start()
        assert world.engine.jobs[0].input["redirects"] == expected


def test_items_are_retried_one_by_one() -> None:
    tries: dict[str, int] = {}

    def server(request: dict[str, Any]) -> dict[str, Any]:
        tries[request["url"]] = tries.get(request["url"], 0) + 1
        return answer(503) if request["url"].endswith("1") and tries[request["url"]] < 3 else ok(request)

    spec = step("s", f"{URL}{{{{ CURRENT_STEP.input }}}}", input="INPUT.v", concurrency=2, retry=RETRY, output="o")
    world = run(spec, server=server, input={"v": [0, 1, 2, 3]})
    assert world.state == "SUCCESS"
    assert tries == {f"{URL}0": 1, f"{URL}1": 3, f"{URL}2": 1, f"{URL}3": 1}
    assert [item["url"][-1] for item in world.output["o"]] == ["0", "1", "2", "3"]


# ---------------------------------------------------------------- failures


def odd_fail(request: dict[str, Any]) -> dict[str, Any]:
    return answer(404, "gone") if int(request["url"][-1]) % 2 else ok(request)


FAN = step("s", f"{URL}{{{{ CURRENT_STEP.input }}}}", input="INPUT.v", concurrency=2, output="o")


def test_all_items_are_tried_and_the_message_names_the_failed_ones() -> None:
    world = run(FAN, step("after"), server=odd_fail, input={"v": [0, 1, 2, 3, 4]})
    assert world.state == "ERROR"
    assert len(world.calls) == 5
    assert [row.name for row in world.tasks] == ["s"]
    info = world.task("s").state_info or ""
    assert info.startswith("Step 's': 2 of 5 items failed; item 1: The response has status 404")
    assert "item 3:" in info


def test_a_failed_call_tells_error_kind_status_response_attempts() -> None:
    world = run(step("s", retry={**RETRY, "total": 1}), server=lambda request: answer(503, {"why": "busy"}))
    result = world.resolved(world.actions[-1].output)
    assert '"kind":"status"' in result and '"attempts":2' in result and '"content":{"why":"busy"}' in result


def rerun(world: World, *, reset: bool) -> None:
    task = world.task("s")
    world.do(c.RerunTask(root_id=world.root_id, execution_id=world.root_id, task_id=task.id, reset=reset))
    world.run()


@pytest.mark.parametrize(("reset", "calls"), [(False, 2), (True, 5)])
@pytest.mark.parametrize("crashes", [False, True])
def test_rerun_of_all_or_of_failed_items(reset: bool, calls: int, crashes: bool) -> None:
    world = run(FAN, step("after"), server=odd_fail, input={"v": [0, 1, 2, 3, 4]})
    world.server, world.calls = ok, []
    if crashes:
        world.crash()
    rerun(world, reset=reset)
    assert world.state == "SUCCESS", world.execution.state_info
    assert len(world.calls) == calls + 1
    assert [item["url"][-1] for item in world.output["o"]] == ["0", "1", "2", "3", "4"]


def test_rerun_of_a_plain_step() -> None:
    world = run(step("s", output="o"), step("after"), server=lambda request: answer(500))
    world.server = ok
    rerun(world, reset=True)
    assert (world.state, [row.state for row in world.tasks]) == ("SUCCESS", ["SUCCESS", "SUCCESS"])


def test_skip_goes_on_with_what_follows() -> None:
    last = step("after", json_body={"state": "{{ STEPS.s.state }}", "good": "{{ STEPS.s.result }}"})
    world = run(FAN, last, server=odd_fail, input={"v": [0, 1]})
    world.server = ok
    world.do(c.SkipTask(root_id=world.root_id, execution_id=world.root_id, task_id=world.task("s").id))
    world.run()
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.calls[-1]["json_body"] == {"state": "SKIPPED", "good": [{"url": f"{URL}0"}, None]}


# ---------------------------------------------------------------- lists of calls


def test_a_list_of_calls_is_made_in_turn_for_each_item() -> None:
    calls = [
        {"url": f"{URL}a/{{{{ CURRENT_STEP.input }}}}"},
        {
            "url": f"{URL}b",
            "json_body": {"before": "{{ CURRENT_STEP.responses | map(attribute='content.url') | list }}"},
        },
    ]
    world = run({"name": "s", "apispec": calls, "input": "INPUT.v", "output": "o"}, input={"v": [1, 2]})
    assert world.state == "SUCCESS", world.execution.state_info
    assert world.output == {"o": [{"url": f"{URL}b"}, {"url": f"{URL}b"}]}
    assert [call["json_body"] for call in world.calls if "json_body" in call] == [
        {"before": [f"{URL}a/1"]},
        {"before": [f"{URL}a/2"]},
    ]
    assert sum(row.accepted for row in world.actions) == 2


def test_a_failed_call_of_a_list_fails_the_item() -> None:
    calls = [{"url": f"{URL}1"}, {"url": f"{URL}2"}]
    world = run({"name": "s", "apispec": calls}, server=odd_fail)
    assert (world.state, len(world.calls)) == ("ERROR", 1)


# ---------------------------------------------------------------- results that others send


def first_action(world: World) -> Any:
    return world.engine.jobs.pop(0)


def test_a_result_sent_through_the_api_is_the_content() -> None:
    world = World(automation(step("s", output="o")), ok).start()
    job = first_action(world)
    world.do(
        c.FinishAction(
            root_id=world.root_id,
            execution_id=job.execution_id,
            task_id=job.task_id,
            action_id=job.action_id,
            state="SUCCESS",
            result={"by": "hand"},
        )
    )
    world.run()
    assert (world.state, world.output) == ("SUCCESS", {"o": {"by": "hand"}})


@pytest.mark.parametrize("spec", [step("s"), FAN])
def test_a_cancelled_call_cancels_the_step(spec: dict[str, Any]) -> None:
    world = World(automation(spec), ok).start({"v": [1]})
    world.finish(first_action(world), None, state="CANCELLED")
    world.run()
    assert (world.state, world.tasks[0].state) == ("CANCELLED", "CANCELLED")


def test_an_executor_that_breaks_fails_the_step() -> None:
    world = World(automation(step("s")), ok).start()
    world.finish(first_action(world), "The action raised an exception", state="ERROR")
    world.run()
    assert world.tasks[0].state_info == "Step 's': The action raised an exception"


def test_the_output_knows_the_number_of_attempts() -> None:
    world = run(step("s", retry=RETRY, output="{{ {'n': CURRENT_STEP.attempt} }}"), server=failing(2))
    assert world.output == {"n": 3}


def test_a_list_of_calls_stops_when_the_workflow_has_ended() -> None:
    calls = [{"url": f"{URL}1"}, {"url": f"{URL}2"}]
    world = World(automation({"name": "s", "apispec": calls}), ok).start()
    world.do(c.ChangeExecution(root_id=world.root_id, execution_id=world.root_id, state="CANCELLED"))
    world.run()
    assert (len(world.calls), world.tasks[0].state) == (1, "CANCELLED")


# ---------------------------------------------------------------- limits


def test_a_response_over_the_field_limit_fails_the_step() -> None:
    world = run(step("s"), server=lambda request: answer(200, "x" * 2_000_000))
    assert world.state == "ERROR"
    assert "too large to be stored" in (world.tasks[0].state_info or "")


def test_a_state_over_the_field_limit_fails_the_step() -> None:
    big = "x" * 600_000
    world = run({**FAN, "concurrency": 1}, server=lambda request: answer(200, big), input={"v": [1, 2]})
    assert world.state == "ERROR"
    assert "Field size limit exceeded" in (world.tasks[0].state_info or "")


def test_a_bad_definition_of_a_constant_fails_only_its_step() -> None:
    world = run(step("fine"), step("bad", headers="no map"))
    assert [row.state for row in world.tasks] == ["SUCCESS", "ERROR"]


def test_items_whose_call_cannot_be_rendered_fail_alone() -> None:
    spec = step("s", f"{URL}{{{{ CURRENT_STEP.input.x }}}}", input="INPUT.v", output="o")
    world = run(spec, input={"v": [{"x": 1}, {}, {"x": 3}]})
    assert world.state == "ERROR"
    assert [call["url"] for call in world.calls] == [f"{URL}1", f"{URL}3"]
    assert "1 of 3 items failed; item 1: Can not evaluate" in (world.tasks[0].state_info or "")
    assert run(spec, input={"v": [{}, {}]}).state == "ERROR"
