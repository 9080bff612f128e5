"""std.javascript in real child processes."""

import asyncio

import pytest


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("return $.a + 1", 2),
        ("return {x: [$.a, null], s: 'é'}", {"x": [1, None], "s": "é"}),
        ("var unused = 1", None),
        ("return $", {"a": 1}),
    ],
)
async def test_the_value_of_return_is_the_result(run, script, value):
    outcome = await run("std.javascript", script=script, context={"a": 1})
    assert (outcome.state, outcome.result) == ("SUCCESS", value)


async def test_scripts_do_not_see_each_other_nor_the_machine(run):
    await run("std.js", script="globalThis.left = 1")
    outcome = await run("std.js", script="return [typeof left, typeof process, typeof require]")
    assert outcome.result == ["undefined"] * 3


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("return nothing.at_all", "ReferenceError: nothing is not defined"),
        ("throw new Error('out of ink')", "Error: out of ink"),
        ("retrun 1", "SyntaxError"),
        ("}); (function(){", "SyntaxError"),
        ("return 10n", "BigInt"),
        ("function f() { return f() } return f()", "RangeError"),
        ("return 'x'.repeat(20000000)", "the result is larger than 5242880 bytes"),
        ("var a = []; while (true) a.push(new Array(1000).fill(1.5))", "too much memory"),
        ("var a = []; while (true) { var b = new Uint8Array(1e7); b.fill(1); a.push(b) }", "too much memory"),
    ],
)
async def test_a_script_that_fails(run, script, reason):
    outcome = await run("std.javascript", script=script)
    assert outcome.state == "ERROR"
    assert "JavaScriptAction failed: " in outcome.result
    assert reason in outcome.result
    assert (await run("std.javascript", script="return 1")).result == 1


async def test_an_endless_script_is_ended(runner):
    outcome = await runner(script_timeout=0.1)("std.javascript", script="while (true) {}")
    assert "the script did not finish within 0.1 seconds" in outcome.result


async def test_a_script_ends_with_its_action(run):
    outcome = await run("std.javascript", time_limit=0.2, script="while (true) {}")
    assert "Timeout after 0.2 seconds" in outcome.result
    assert (await run("std.javascript", script="return 1")).result == 1


async def test_more_scripts_than_children(run):
    outcomes = await asyncio.gather(*(run("std.js", script="return $ * 2", context=n) for n in range(12)))
    assert [outcome.result for outcome in outcomes] == [n * 2 for n in range(12)]
