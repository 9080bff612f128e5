"""Given a queue and an engine, what the executor does with a job."""

import asyncio
import threading

import pytest

from ostro.executor import ActionFailed, Context, ExecutorSettings, asynchronous
from ostro.model.commands import ActionAlive, ActionTaken, ActionWaits, FinishAction
from ostro.model.errors import InvalidInput, NotFound, Unavailable


async def add(a, b=1):
    return a + b


async def test_an_action_is_marked_before_it_begins_and_reported_with_its_attempt(bench):
    async with bench(add=add) as b:
        await b.queue.put([b.job("add", {"a": 2}, attempt=3, action_id="x")])
        [finish] = await b.engine.first(FinishAction)
    assert [type(command) for command in b.engine.commands] == [ActionTaken, FinishAction]
    taken = b.engine.commands[0]
    assert (taken.action_id, taken.attempt, taken.executor) == ("x", 3, "local")
    assert (finish.action_id, finish.attempt, finish.state, finish.result) == ("x", 3, "SUCCESS", 3)
    assert (finish.root_id, finish.execution_id, finish.task_id) == ("root", "ex", "t")


@pytest.mark.parametrize("answer", [False, None, NotFound("gone")])
async def test_nothing_runs_without_permission(bench, answer):
    ran = []
    async with bench(work=lambda: ran.append(1), after=lambda: None) as b:
        b.engine.answers[ActionTaken] = [answer]
        await b.queue.put([b.job("work")])
        await b.engine.first(ActionTaken)
        await b.queue.put([b.job("after")])
        await b.engine.first(FinishAction)
    assert ran == []
    assert len(b.engine.all(FinishAction)) == 1


async def test_mark_and_result_are_sent_again_until_the_engine_answers(bench):
    runs = []

    async def once():
        runs.append(1)
        return "kept"

    async with bench(once=once) as b:
        b.engine.answers[ActionTaken] = [Unavailable("no owner"), True]
        b.engine.answers[FinishAction] = [Unavailable("no owner"), Unavailable("no owner"), None]
        await b.queue.put([b.job("once")])
        finishes = await b.engine.first(FinishAction, 3)
    assert runs == [1]
    assert {finish.result for finish in finishes} == {"kept"}
    assert len(b.engine.all(ActionTaken)) == 2


async def test_a_result_that_the_engine_refuses_ends_the_action_with_the_reason(bench):
    async with bench(add=add) as b:
        b.engine.answers[FinishAction] = [InvalidInput("Value is too large."), None]
        await b.queue.put([b.job("add", {"a": 1})])
        _, second = await b.engine.first(FinishAction, 2)
    assert (second.state, second.result) == ("ERROR", "Value is too large.")


async def test_an_exception_becomes_the_known_sentence(bench):
    def broken():
        raise RuntimeError("no paper")

    async with bench(broken=broken) as b:
        await b.queue.put([b.job("broken", action_id="x")])
        [finish] = await b.engine.first(FinishAction)
    assert finish.state == "ERROR"
    assert finish.result == "The action raised an exception [action=broken, action_ex_id=x, msg='no paper']"


async def test_a_failure_with_data_keeps_the_data(bench):
    async def refuse():
        raise ActionFailed({"code": 7})

    async with bench(refuse=refuse) as b:
        await b.queue.put([b.job("refuse")])
        [finish] = await b.engine.first(FinishAction)
    assert (finish.state, finish.result) == ("ERROR", {"code": 7})


async def test_even_a_plugin_that_exits_or_cancels_itself_only_ends_its_action(bench):
    async def leave():
        raise SystemExit(3)

    async def give_up():
        raise asyncio.CancelledError

    def leave_thread():
        raise SystemExit(3)

    async with bench(leave=leave, give_up=give_up, leave_thread=leave_thread) as b:
        await b.queue.put([b.job("leave"), b.job("give_up"), b.job("leave_thread")])
        finishes = await b.engine.first(FinishAction, 3)
    assert {finish.state for finish in finishes} == {"ERROR"}


async def test_a_time_limit_ends_the_action(bench):
    async def forever():
        await asyncio.Event().wait()

    async with bench(forever=forever) as b:
        await b.queue.put([b.job("forever", timeout=0.02, action_id="x")])
        [finish] = await b.engine.first(FinishAction)
    assert finish.result == (
        "The action raised an exception [action=forever, action_ex_id=x, msg='Timeout after 0.02 seconds']"
    )


async def test_a_timeout_inside_the_action_is_not_taken_for_its_limit(bench):
    async def impatient():
        raise TimeoutError("printer busy")

    async with bench(impatient=impatient) as b:
        await b.queue.put([b.job("impatient", timeout=60)])
        [finish] = await b.engine.first(FinishAction)
    assert "msg='printer busy'" in finish.result


async def test_a_cancelled_action_stops_and_reports_nothing(bench):
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def long():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with bench(long=long) as b:
        await b.queue.put([b.job("long", action_id="x")])
        await begun.wait()
        await b.queue.cancel(["x"])
        await stopped.wait()
    assert b.engine.all(FinishAction) == []


async def test_an_asynchronous_action_waits_after_a_good_start_and_ends_after_a_bad_one(bench):
    @asynchronous
    async def start(ok):
        if not ok:
            raise RuntimeError("unplugged")
        return "dropped"

    async with bench(start=start) as b:
        await b.queue.put([b.job("start", {"ok": True}, is_async=True), b.job("start", {"ok": False}, is_async=True)])
        [waits] = await b.engine.first(ActionWaits)
        [finish] = await b.engine.first(FinishAction)
    assert (waits.action_id, waits.attempt) == ("a0", 1)
    assert (finish.action_id, finish.state) == ("a1", "ERROR")


async def test_heartbeats_tell_of_long_actions_and_stop_those_that_are_over(bench):
    stopped = asyncio.Event()

    async def long():
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with bench(ExecutorSettings(heartbeat=0.005), long=long) as b:
        b.engine.answers[ActionAlive] = [True, Unavailable("no owner"), None, False]
        await b.queue.put([b.job("long", action_id="x", attempt=2)])
        beats = await b.engine.first(ActionAlive, 4)
        await stopped.wait()
    assert {(beat.action_id, beat.attempt) for beat in beats} == {("x", 2)}


async def test_no_more_than_the_set_number_run_at_once(bench):
    running, most = 0, 0

    async def count():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async with bench(ExecutorSettings(concurrency=3), count=count) as b:
        await b.queue.put([b.job("count") for _ in range(50)])
        await b.engine.first(FinishAction, 50)
    assert most == 3


async def test_plain_functions_run_in_threads_and_know_their_context(bench):
    def who(context: Context):
        return [threading.current_thread() is threading.main_thread(), context.task_name, context.attempt]

    async with bench(who=who) as b:
        await b.queue.put([b.job("who", context={"task_name": "t1"})])
        [finish] = await b.engine.first(FinishAction)
    assert finish.result == [False, "t1", 1]


async def test_a_hung_thread_neither_holds_the_loop_nor_the_end(bench):
    release = threading.Event()

    async with bench(hang=release.wait) as b:
        await b.queue.put([b.job("hang", timeout=0.02)])
        [finish] = await b.engine.first(FinishAction)
    release.set()
    assert "Timeout after 0.02 seconds" in finish.result


async def test_unknown_actions_and_wrong_parameters_are_errors(bench):
    async with bench(add=add) as b:
        await b.queue.put([b.job("nothing"), b.job("add", {"c": 1})])
        finishes = await b.engine.first(FinishAction, 2)
    results = {finish.action_id: finish.result for finish in finishes}
    assert results["a0"] == "Failed to find action [action_name=nothing]"
    assert results["a1"].startswith("Invalid input [name=add, class=")
    assert results["a1"].endswith("missing=['a'], unexpected=['c']]")


async def test_what_runs_is_finished_and_reported_before_the_executor_ends(bench):
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow():
        begun.set()
        await go.wait()
        return "done"

    async with bench(slow=slow) as b:
        await b.queue.put([b.job("slow")])
        await begun.wait()
        asyncio.get_running_loop().call_soon(go.set)
    [finish] = b.engine.all(FinishAction)
    assert finish.result == "done"


async def test_what_does_not_finish_in_time_is_stopped_without_a_result(bench):
    begun = asyncio.Event()

    async def forever():
        begun.set()
        await asyncio.Event().wait()

    async with bench(ExecutorSettings(drain=0.01), forever=forever) as b:
        await b.queue.put([b.job("forever")])
        await begun.wait()
    assert b.engine.all(FinishAction) == []
    assert b.executor.running == 0


async def test_a_repeated_job_runs_once(bench):
    runs = []
    go = asyncio.Event()

    async def once():
        runs.append(1)
        await go.wait()

    async with bench(once=once) as b:
        await b.queue.put([b.job("once", action_id="x")])
        await b.engine.first(ActionTaken)
        await b.queue.put([b.job("once", action_id="x")])
        await b.queue.put([b.job("once", action_id="y")])
        await b.engine.first(ActionTaken, 2)
        go.set()
        await b.engine.first(FinishAction, 2)
    assert len(runs) == 2


async def test_each_begin_has_a_name_of_its_own_that_stays_when_the_question_is_repeated(bench):
    """So the engine can tell a job that a queue gives out once more from an answer that got lost."""
    async with bench(add=add, process="p") as b:
        b.engine.answers[ActionTaken] = [Unavailable("not now"), True, False]
        await b.queue.put([b.job("add", {"a": 1}, action_id="x")])
        await b.engine.first(FinishAction)
        await b.queue.put([b.job("add", {"a": 1}, action_id="x")])
        first, repeated, second = await b.engine.first(ActionTaken, 3)
    assert first.process == repeated.process != second.process
    assert first.process.startswith("p:")
