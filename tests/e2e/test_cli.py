"""The command line at a real server: definitions, executions, triggers, environments."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.command_line import CommandLine
from tests.e2e.server import Server

FLOWS = """
version: '2.0'
hello:
  input: [name: World]
  output: {greeting: <% $.greeting %>}
  tasks:
    say:
      action: std.echo output=<% 'Hello ' + $.name %>
      publish: {greeting: <% task().result %>}
outer:
  tasks:
    call: {workflow: hello}
bad:
  tasks:
    first: {action: "std.fail error_data='no luck'"}
ask:
  output: {answer: <% $.answer %>}
  tasks:
    question:
      action: std.async_noop
      publish: {answer: <% task().result.yes %>}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as running:
        (tmp_path_factory.getbasetemp() / "flows.yaml").write_text(FLOWS)
        first = CommandLine(tmp_path_factory.getbasetemp(), OSTRO_URL=running.url)
        first.good("workflow", "create", "flows.yaml")
        yield running


@pytest.fixture
def cli(server: Server, tmp_path: Path) -> CommandLine:
    (tmp_path / "flows.yaml").write_text(FLOWS)
    return CommandLine(tmp_path, OSTRO_URL=server.url)


def test_definitions_from_creation_to_deletion(cli: CommandLine) -> None:
    (cli.folder / "once.yaml").write_text("version: '2.0'\nonce:\n  tasks:\n    a: {action: std.noop}\n")
    assert cli.good("workflow", "create", "once.yaml").out == "Created: once.\n"
    taken = cli("workflow", "create", "once.yaml")
    assert (taken.status, taken.out) == (1, "")
    assert "once" in taken.err
    text = (cli.folder / "once.yaml").read_text() + "    b: {action: std.noop}\n"
    updated = cli.good("workflow", "update", "-", "--json", input=text)
    assert [one["name"] for one in updated.json] == ["once"]
    assert yaml.safe_load(cli.good("workflow", "show", "once").out) == yaml.safe_load(text)
    assert len(cli.good("workflow", "revisions", "once", "--json").json) == 2
    assert "+    b:" in cli.good("workflow", "diff", "once").out
    assert "a: std.noop" in cli.good("workflow", "graph", "once.yaml").out
    assert [one["name"] for one in cli.good("workflow", "list", "-w", "name=has:onc", "--json").json] == ["once"]
    assert cli.good("workflow", "delete", "once", "--yes").out == "Deleted: once.\n"
    assert cli("workflow", "show", "once").status == 7


def test_workbooks_and_actions(cli: CommandLine) -> None:
    (cli.folder / "book.yaml").write_text(
        "version: '2.0'\nname: book\nworkflows:\n  inner:\n    tasks:\n      a: {action: std.noop}\n"
    )
    cli.good("workbook", "create", "book.yaml")
    cli.good("workbook", "update", "book.yaml")
    assert "book" in cli.good("workbook", "list").out
    cli.good("workbook", "delete", "book", "--yes")
    (cli.folder / "shout.yaml").write_text("version: '2.0'\nshout:\n  base: std.echo\n  base-input: {output: HEY}\n")
    cli.good("action", "create", "shout.yaml")
    assert cli.good("action", "run", "shout").out == "HEY\n"
    failed = cli("action", "run", "std.fail", "-i", "error_data=no luck")
    assert (failed.status, "no luck" in failed.out) == (1, True)
    cli.good("action", "delete", "shout", "--yes")


def test_a_bad_definition_is_told_with_its_place(cli: CommandLine) -> None:
    (cli.folder / "wrong.yaml").write_text(
        "version: '2.0'\nwrong:\n  tasks:\n    a: {action: std.noop, on-success: c}\n"
    )
    checked = cli("workflow", "validate", "wrong.yaml")
    assert checked.status == 1
    assert re.match(r"wrong.yaml:\d+:\d+: error: ", checked.out), checked.out
    assert cli("workflow", "create", "wrong.yaml").status == 1
    assert cli.good("workflow", "validate", "flows.yaml").out == "flows.yaml: good\n"


def test_names_that_are_nearly_right(cli: CommandLine) -> None:
    for command in (("workflow", "show", "helo"), ("execution", "start", "helo")):
        wrong = cli(*command)
        assert (wrong.status, wrong.out) == (7, "")
        assert "Did you mean hello?" in wrong.err
    assert "Did you mean 'workflow'?" in cli("worflow", "list").err


def test_a_start_prints_the_id_alone(cli: CommandLine) -> None:
    started = cli.good("execution", "start", "hello", "-i", "name=Ada")
    assert cli.good("execution", "watch", started.out.strip()).out.endswith('{\n  "greeting": "Hello Ada"\n}\n')


@pytest.mark.parametrize(("workflow", "status"), [("hello", 0), ("bad", 1), ("outer", 0)])
def test_waiting_shows_what_happens_and_the_status_tells_the_end(cli: CommandLine, workflow: str, status: int) -> None:
    done = cli("execution", "start", workflow, "--wait")
    assert done.status == status, done.err
    assert re.search(rf"^ +[\d.]+  {'ERROR' if status else 'SUCCESS'} +workflow +{workflow}", done.out, re.MULTILINE)
    assert "no luck" in done.out or status == 0


def test_programs_get_one_document(cli: CommandLine) -> None:
    done = cli.good("execution", "start", "hello", "-i", '{"name": "Ada"}', "--wait", "--json").json
    assert (done["state"], done["output"], done["input"]) == ("SUCCESS", {"greeting": "Hello Ada"}, {"name": "Ada"})
    shown = yaml.safe_load(cli.good("execution", "show", done["id"], "--yaml").out)
    assert shown["output"] == done["output"]


def test_starting_again_with_another_input(cli: CommandLine) -> None:
    first = cli.good("execution", "start", "hello", "-i", "name=Ada").out.strip()
    again = cli.good("execution", "start", "--from", first, "-i", "name=Grace", "--wait", "--json")
    assert again.json["output"] == {"greeting": "Hello Grace"}
    keyed = [cli.good("execution", "start", "hello", "--key", "the same").out for _ in range(2)]
    assert keyed[0] == keyed[1]


def test_looking_at_a_failure_and_repairing_it(cli: CommandLine) -> None:
    id = cli("execution", "start", "bad", "--wait", "--json").json["id"]
    assert "1 error" in cli.good("execution", "report", id).out
    assert "no luck" in cli.good("execution", "report", id, "--errors-only").out
    assert re.search(r"ERROR +first", cli.good("execution", "logs", id).out)
    assert re.search(r"first +ERROR", cli.good("execution", "timeline", id).out)
    assert cli.good("execution", "graph", id).out == "first: std.fail\n"
    [task] = cli.good("task", "list", "--execution", id, "--state", "error", "--json").json
    assert cli.good("task", "show", task["id"], "--json").json["state"] == "ERROR"
    assert cli.good("execution", "rerun", id).out == "Run again: 1.\n"
    assert cli("execution", "watch", id).status == 1
    assert cli("execution", "skip", id, "--task", "other").status == 2
    assert cli("execution", "rerun", id, "--task", "other").status == 7
    assert cli.good("execution", "skip", id, "--task", "first").out == "Skipped: 1.\n"
    assert cli("execution", "watch", id).status == 0
    again = cli("execution", "start", "bad", "--wait", "--json").json["id"]
    [task] = cli.good("task", "list", "--execution", again, "--json").json
    assert cli.good("task", "rerun", task["id"]).out == "first is run again.\n"
    cli("execution", "watch", again)
    assert cli.good("task", "skip", task["id"]).out == "first is SKIPPED.\n"


def test_somebody_completes_an_action(cli: CommandLine) -> None:
    id = cli.good("execution", "start", "ask").out.strip()
    action: list[str] = []
    while not action:  # it takes a moment until it is handed out
        waits = cli.good("execution", "waits", id, "--json").json
        action = [one["action_id"] for one in waits if one["action_id"]]
    assert action[0] in cli.good("action-execution", "list", "--state", "running").out
    assert cli.good("action-execution", "complete", action[0], "-o", "yes=true").out == "std.async_noop is SUCCESS.\n"
    assert cli.good("execution", "watch", id).out.endswith('{\n  "answer": true\n}\n')
    assert cli.good("action-execution", "show", action[0], "--json").json["state"] == "SUCCESS"


def test_one_execution_is_steered(cli: CommandLine) -> None:
    id = cli.good("execution", "start", "ask", "--description", "steered").out.strip()
    assert cli.good("execution", "pause", id).out == "Paused: 1.\n"
    assert cli("execution", "watch", id).status == 4
    assert cli.good("execution", "resume", id).out == "Resumed: 1.\n"
    refused = cli("execution", "cancel", id)
    assert (refused.status, "--yes" in refused.err) == (2, True)
    assert cli.good("execution", "cancel", id, "--yes", "--reason", "enough").out == "Cancelled: 1.\n"
    assert cli("execution", "watch", id).status == 3
    cli.good("execution", "describe", id, "the end")
    shown = cli.good("execution", "show", id).out
    assert "the end" in shown and "enough" in shown
    cli.good("execution", "delete", id, "--yes")
    assert cli("execution", "show", id).status == 7


def test_many_are_chosen_by_filters_and_shown_first(cli: CommandLine) -> None:
    ids = {cli.good("execution", "start", "ask", "--description", "one of many").out.strip() for _ in range(3)}
    other = cli.good("execution", "start", "ask").out.strip()
    chosen = ("--workflow", "ask", "--text", "many")
    refused = cli("execution", "cancel", *chosen)
    assert refused.status == 2
    assert "Cancel 3 executions?" in refused.err
    assert set(re.findall(r"^[0-9a-f-]{36}", refused.out, re.MULTILINE)) == ids
    assert "Paused: 3." in cli.good("execution", "pause", *chosen, "--yes").out
    assert "Cancelled: 3." in cli.good("execution", "cancel", *chosen, "--yes").out
    left = cli.good("execution", "list", "--state", "running", "--workflow", "ask", "--json").json
    assert other in {one["id"] for one in left} and not ids & {one["id"] for one in left}
    assert "nothing was done" in cli.good("execution", "cancel", *chosen, "--yes").err
    mixed = cli("execution", "delete", other, *ids, "--yes", "--json")
    assert (mixed.status, set(mixed.json["done"])) == (1, ids)
    assert [one["id"] for one in mixed.json["failed"]] == [other]
    assert cli("execution", "delete", "--yes").status == 2, "never all, just because nothing was said"
    assert cli("execution", "cancel", other, "--yes").status == 0


def test_lists_are_for_people_and_for_programs(cli: CommandLine) -> None:
    for _ in range(3):
        cli.good("execution", "start", "hello")
    listed = cli.good("execution", "list", "--workflow", "hello", "--limit", "2", "--since", "1h")
    heading, *rows = listed.out.splitlines()
    assert heading.split()[:3] == ["ID", "STATE", "WORKFLOW"]
    assert len(rows) == 2
    assert "--limit" in listed.err
    assert cli.good("execution", "list", "--before", "2d", "--json").json == []
    assert cli.good("execution", "list", "--since", "2d", "--before", "1d", "--json").json == []
    assert cli.good("execution", "list", "--text", "hell", "--since", "1h", "--json").json
    assert cli("execution", "list", "--since", "yesterday").status == 2
    assert cli("execution", "list", "-w", "colour=red").status == 1
    assert cli("execution", "list", "-w", "nothing").status == 2


def test_triggers(cli: CommandLine) -> None:
    cli.good("cron-trigger", "create", "nightly", "hello", "--pattern", "0 3 * * *", "-i", "name=Night")
    assert len(cli.good("cron-trigger", "next", "nightly", "--count", "3").out.splitlines()) == 3
    assert cli.good("cron-trigger", "show", "nightly", "--json").json["workflow_input"] == {"name": "Night"}
    assert "nightly" in cli.good("cron-trigger", "list").out
    cli.good("cron-trigger", "delete", "nightly", "--yes")
    made = cli.good(
        "event-trigger", "create", "hello", "--exchange", "shop", "--topic", "orders", "--event", "paid",
        "-i", "name=<% $.payload.id %>", "--json",
    ).json  # fmt: skip
    cli.good("event-trigger", "update", made["id"], "--name", "pay")
    assert "pay" in cli.good("event-trigger", "list").out
    [started] = cli.good("event-trigger", "send", "shop", "orders", "paid", "-i", "id=seven").out.split()
    assert len(started) == 36
    assert cli.good("event-trigger", "show", made["id"], "--json").json["name"] == "pay"
    cli.good("event-trigger", "delete", made["id"], "--yes")


def test_environments(cli: CommandLine) -> None:
    cli.good("environment", "create", "test", "-e", "host=t1", "-e", "ports=[80, 443]")
    cli.good("environment", "update", "test", "-e", "host=t2")
    assert cli.good("environment", "show", "test", "--json").json["variables"] == {"host": "t2", "ports": [80, 443]}
    cli.good("environment", "update", "test", "-e", "host=t3", "--replace")
    assert cli.good("environment", "show", "test", "--json").json["variables"] == {"host": "t3"}
    assert "host" in cli.good("environment", "list").out
    assert "Did you mean test?" in cli("environment", "show", "tset").err
    cli.good("environment", "delete", "test", "--yes")


def test_the_server_itself(cli: CommandLine) -> None:
    assert "api_group" in cli.good("service", "list").out
    assert "started in the last hour" in cli.good("overview").out
    assert cli.good("overview", "--json").json["counts"]
    assert cli.good("maintenance").out == "RUNNING\n"
    assert "no authentication" in cli.good("context", "whoami").out


def test_tokens_need_a_server_that_asks_who_one_is(cli: CommandLine) -> None:
    refused = cli("token", "list")
    assert refused.status == 6
    assert "--auth none" in refused.err and "ostro serve --auth token" in refused.err


def test_a_mistyped_state_is_no_empty_list(cli: CommandLine) -> None:
    for command in ("execution", "task", "action-execution"):
        refused = cli(command, "list", "--state", "ERORR")
        assert refused.status == 2
        assert "Did you mean ERROR?" in refused.err and "RUNNING" in refused.err


def test_what_went_wrong_is_told_with_what_to_do(cli: CommandLine) -> None:
    for arguments, status, told in (
        (("workflow", "create", "flows.yaml"), 1, "ostro workflow update flows.yaml"),
        (("action", "run", "std.eco"), 1, "Did you mean std.echo"),
        (("cron-trigger", "create", "never", "hello", "--pattern", "0 3 * *"), 1, "minute, hour, day"),
        (("workflow", "list", "--url", "nonsense"), 2, "http://127.0.0.1:8989"),
        (("db", "check", "--database", "nowhere.sqlite3"), 1, "`ostro serve` makes one"),
    ):
        refused = cli(*arguments)
        assert (refused.status, told in refused.err) == (status, True), refused


def test_an_empty_list_says_so_beside_its_output(cli: CommandLine) -> None:
    empty = cli.good("workbook", "list", "--where", "name=there is none")
    assert (empty.out, empty.err) == ("", "There is nothing to list.\n")
    assert cli.good("workbook", "list", "--where", "name=there is none", "--json").json == []


def test_what_has_ended_cannot_be_cancelled(cli: CommandLine) -> None:
    id = cli.good("execution", "start", "hello", "--wait", "--json").json["id"]
    refused = cli("execution", "cancel", id, "--yes")
    assert (refused.status, refused.out) == (1, "")
    assert "is SUCCESS already" in refused.err


def test_the_version_is_known_to_the_option_too(cli: CommandLine) -> None:
    assert cli.good("--version").out == cli.good("version").out


def test_a_server_that_is_not_there(cli: CommandLine) -> None:
    gone = cli("workflow", "list", "--url", "http://127.0.0.1:9")
    assert (gone.status, gone.out) == (5, "")
    assert "ostro serve" in gone.err
    assert cli("workflow", "list", "--url", "nonsense").status == 2


def test_a_live_tree_on_a_terminal(cli: CommandLine) -> None:
    status, shown = cli.on_terminal("execution", "start", "outer", "--wait")
    assert status == 0, shown
    assert "└── " in shown and "\x1b[" in shown
    assert "hello" in shown and "say" in shown


def test_a_person_is_asked(cli: CommandLine) -> None:
    id = cli.good("execution", "start", "ask").out.strip()
    status, shown = cli.on_terminal("execution", "cancel", id, typed="n\n")
    assert (status, f"Cancel the execution {id}?" in shown) == (0, True)
    assert cli.good("execution", "show", id, "--json").json["state"] == "RUNNING"
    status, _ = cli.on_terminal("execution", "cancel", id, typed="y\n")
    assert cli.good("execution", "show", id, "--json").json["state"] == "CANCELLED"


@pytest.mark.parametrize("columns", [60, 120])
def test_a_table_fits_the_terminal(cli: CommandLine, columns: int) -> None:
    cli.good("execution", "start", "hello")
    _, shown = cli.on_terminal("execution", "list", "--limit", "3", columns=columns)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "ID" in plain and "STATE" in plain
    assert max(len(line) for line in plain.splitlines() if "more" not in line) <= columns


def test_shells_are_told_how_to_complete(cli: CommandLine) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_OSTRO_COMPLETE" in cli.good("completion", shell).out
    asked = cli("", _OSTRO_COMPLETE="bash_complete", COMP_WORDS="ostro exec", COMP_CWORD="1")
    assert asked.out.split(",")[-1].strip() == "execution"


def test_json_can_be_read_by_json(cli: CommandLine) -> None:
    for group in ("workflow", "action", "execution", "task", "service"):
        assert isinstance(json.loads(cli.good(group, "list", "--json").out), list)
        assert isinstance(yaml.safe_load(cli.good(group, "list", "--yaml").out), list)
