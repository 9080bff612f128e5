"""`ostro execution`: start, look at, steer."""

import sys
from typing import Any

import click

from ostro.cli.choosing import COLUMNS, by_filters, change_all, each_chosen
from ostro.cli.output import note, time_text
from ostro.cli.server import ENV, INPUT, LIMIT, NAMESPACE, SORT, Server, at_server
from ostro.cli.values import read_values
from ostro.model.errors import Conflict, InvalidInput

_ID = click.argument("id")
_STATUS = {"ERROR": 1, "CANCELLED": 3, "PAUSED": 4}
_UNFINISHED = frozenset({"RUNNING", "PAUSED", "IDLE"})
_FINISHED = frozenset({"SUCCESS", "ERROR", "CANCELLED"})


@click.group()
def execution() -> None:
    """Runs of workflows: `ostro execution start hello -i name=Ada --wait`."""


@execution.command("list")
@by_filters
@SORT
@LIMIT
@click.option("--all-projects", is_flag=True, help="Of all projects (administrators).")
@at_server
def list_all(server: Server, filters: dict[str, str], sort: str | None, limit: int, all_projects: bool) -> None:
    """List executions, the newest first.

    Example: ostro execution list --state ERROR --since 1d
    """
    if all_projects:
        filters["all_projects"] = "true"
    found = server.client.executions.list(limit=limit + 1, sort=sort or "-created_at", **filters)
    server.out.rows(found, COLUMNS, limit=limit)


@execution.command()
@_ID
@at_server
def show(server: Server, id: str) -> None:
    """Print an execution: state, input, output, times.

    Example: ostro execution show ID --json
    """
    server.out.one(server.client.executions.get(id))


@execution.command()
@click.argument("workflow", required=False)
@INPUT
@ENV
@click.option("--environment", metavar="NAME", help="A stored environment.")
@click.option("--params", multiple=True, metavar="KEY=VALUE", help="Other params, given as input is.")
@NAMESPACE
@click.option("--description", metavar="TEXT", help="What this run is for.")
@click.option("--from", "source", metavar="ID", help="Take workflow, input and params from that execution.")
@click.option("--key", metavar="TEXT", help="A repeat with the same key is the same execution.")
@click.option("--wait", is_flag=True, help="Show it until it has finished; the exit status tells how it ended.")
@at_server
def start(
    server: Server,
    workflow: str | None,
    input: tuple[str, ...],
    env: tuple[str, ...],
    environment: str | None,
    params: tuple[str, ...],
    namespace: str | None,
    description: str | None,
    source: str | None,
    key: str | None,
    wait: bool,
) -> None:
    """Start a WORKFLOW (name or id) and print the execution's id; with --wait its tasks and its output.

    Exit status with --wait: 0 success, 1 error, 3 cancelled, 4 paused.

    Example: ostro execution start hello -i name=Ada --wait
    """
    if not workflow and not source:
        raise InvalidInput("Which workflow? Give its name, or --from ID to start one again.")
    if env and environment:
        raise InvalidInput("Give --env or --environment, not both.")
    values = read_values("--input", input)
    if source and input:  # what is given replaces single inputs, not all of them
        values = {**server.client.executions.get(source).input, **values}
    begun = _started(
        server,
        workflow,
        input=values if input or not source else None,
        env=environment or (read_values("--env", env) if env else None),
        params=read_values("--params", params) if params else None,
        namespace=namespace,
        description=description,
        source=source,
        key=key,
    )
    if wait:
        _watch(server, begun)
    elif server.out.is_for_people:
        note(f"{begun.workflow_name} is {begun.state}: ostro execution watch {begun.id}")
        print(begun.id)
    else:
        server.out.one(begun)


def _started(server: Server, workflow: str | None, **options: Any) -> Any:
    """Raises NotFound with a hint at workflows that are alike."""
    from ostro.sdk import NotFound

    try:
        return server.client.executions.start(workflow, **options)
    except NotFound:
        if workflow and not options["namespace"]:
            server.find(server.client.workflows, workflow)
        raise


def _watch(server: Server, begun: Any) -> None:
    """Until its end; a program gets one document then."""
    from ostro.cli.views import LiveTree, Plain, View
    from ostro.cli.watching import RemoteTree, watch
    from ostro.sdk import Unreachable

    client = server.client
    try:
        if server.out.is_for_people:
            tree = RemoteTree(begun)
            view: View = LiveTree(ticking=lambda: tree) if sys.stdout.isatty() else Plain()
            output = None
            try:
                watch(client, tree, view)
                done = client.executions.get(begun.id)
                output = done.output if done.is_finished else None
            finally:
                view.end(tree, output)
        else:
            done = client.executions.wait(begun.id)
            server.out.one(done)
    except (KeyboardInterrupt, Unreachable):
        note(f"It goes on without you: ostro execution watch {begun.id}")
        raise
    server.status = _STATUS.get(done.state, 0)


@execution.command()
@_ID
@at_server
def watch(server: Server, id: str) -> None:
    """Show an execution while it runs, until it has finished or is paused. Ctrl-C ends the watching, not the execution.

    Exit status: 0 success, 1 error, 3 cancelled, 4 paused.

    Example: ostro execution watch ID
    """
    _watch(server, server.client.executions.get(id))


@execution.command()
@_ID
@click.option("--follow", "-f", is_flag=True, help="Go on while it runs.")
@at_server
def logs(server: Server, id: str, follow: bool) -> None:
    """Print what happened, a line each: tasks, attempts, waits.

    Example: ostro execution logs ID --follow
    """
    from ostro.cli.history import follow_lines, lines_of

    server.client.executions.get(id)  # NotFound
    if not server.out.is_for_people:
        server.out.one(server.client.executions.timeline(id))
        return
    for line in follow_lines(server.client, id) if follow else lines_of(server.client.executions.timeline(id)):
        print(line, flush=True)


@execution.command()
@_ID
@at_server
def timeline(server: Server, id: str) -> None:
    """Print when tasks ran, and for how long.

    Example: ostro execution timeline ID
    """
    from ostro.cli.history import duration

    found = server.client.executions.timeline(id)
    if not server.out.is_for_people:
        server.out.one(found)
        return
    columns = (
        ("task", lambda one: one.name), "state", ("took", duration), ("tries", lambda one: one.attempts_total),
        ("started", lambda one: one.started_at), ("finished", lambda one: one.finished_at),
    )  # fmt: skip
    server.out.rows(found.tasks, columns)
    if found.more:
        note(f"{found.more} more tasks are left out.")


@execution.command()
@_ID
@at_server
def waits(server: Server, id: str) -> None:
    """Print what an execution waits for, since when and until when.

    Example: ostro execution waits ID
    """
    columns = (
        ("task", lambda one: one.task or "(the execution)"), "kind", ("for", lambda one: one.text or one.what), "since",
        "until", ("action", lambda one: one.action_id if one.kind == "async-action" else ""),
    )  # fmt: skip
    server.out.rows(server.client.executions.waits(id), columns)


@execution.command()
@_ID
@at_server
def graph(server: Server, id: str) -> None:
    """Print the tasks of the text that an execution runs, and what leads to what.

    Example: ostro execution graph ID
    """
    from ostro.cli.graphs import print_graph

    print_graph(server, server.client.executions.graph(id))


@execution.command()
@_ID
@click.option("--errors-only", is_flag=True, help="Follow failed tasks only.")
@click.option("--max-depth", type=int, default=-1, help="Levels of sub-executions; -1: all.")
@at_server
def report(server: Server, id: str, errors_only: bool, max_depth: int) -> None:
    """Print the tree of tasks and sub-executions with counts and errors.

    Example: ostro execution report ID --errors-only
    """
    from ostro.cli.history import print_report

    found = server.client.executions.report(id, errors_only=errors_only, max_depth=max_depth)
    if server.out.is_for_people:
        print_report(found)
    else:
        server.out.one(found)


@execution.command()
@_ID
@click.argument("text")
@at_server
def describe(server: Server, id: str, text: str) -> None:
    """Change the description of an execution.

    Example: ostro execution describe ID "the one with the wrong host"
    """
    server.out.result(server.client.executions.describe(id, text), "Described.")


@execution.command()
@each_chosen
@at_server
def pause(server: Server, ids: tuple[str, ...], filters: dict[str, str], yes: bool) -> None:
    """Pause executions: no new task begins. Those that filters match are shown first.

    Example: ostro execution pause --workflow deploy
    """
    client = server.client
    change_all(
        server, "pause", ids, filters, frozenset({"RUNNING"}), lambda one: client.executions.pause(one.id),
        yes=yes, asks=False,
    )  # fmt: skip


@execution.command()
@each_chosen
@ENV
@at_server
def resume(server: Server, ids: tuple[str, ...], filters: dict[str, str], env: tuple[str, ...], yes: bool) -> None:
    """Resume paused executions; --env is merged into the environment.

    Example: ostro execution resume ID -e host=t2
    """
    client, variables = server.client, read_values("--env", env) if env else None
    change_all(
        server, "resume", ids, filters, frozenset({"PAUSED"}),
        lambda one: client.executions.resume(one.id, env=variables), yes=yes, asks=False,
    )  # fmt: skip


@execution.command()
@each_chosen
@click.option("--reason", metavar="TEXT", help="Why; kept as its state_info.")
@at_server
def cancel(server: Server, ids: tuple[str, ...], filters: dict[str, str], reason: str | None, yes: bool) -> None:
    """Cancel executions. Those that filters match are shown first, and it is asked.

    Example: ostro execution cancel --state RUNNING --workflow deploy
    """

    def act(one: Any) -> Any:
        if one.state in _FINISHED:  # the server takes it, and changes nothing
            raise Conflict(f"The execution {one.id} is {one.state} already.")
        return server.client.executions.cancel(one.id, reason=reason)

    change_all(server, "cancel", ids, filters, _UNFINISHED, act, yes=yes, asks=True)


@execution.command()
@each_chosen
@click.option("--force", is_flag=True, help="Also those that have not finished.")
@at_server
def delete(server: Server, ids: tuple[str, ...], filters: dict[str, str], force: bool, yes: bool) -> None:
    """Delete executions with all below them. Those that filters match are shown first, and it is asked.

    Example: ostro execution delete --state SUCCESS --before 30d
    """
    client = server.client
    if not ids:
        filters.setdefault("nulls", "root_execution_id")
        if len(filters) == 1:
            filters.clear()
    change_all(
        server, "delete", ids, filters, None if force else _FINISHED,
        lambda one: client.executions.delete(one.id, force=force), yes=yes, asks=True,
    )  # fmt: skip


@execution.command()
@each_chosen
@click.option("--task", metavar="NAME", help="Only the failed task of that name.")
@click.option("--no-reset", is_flag=True, help="Of with-items: only the items that failed.")
@ENV
@at_server
def rerun(
    server: Server,
    ids: tuple[str, ...],
    filters: dict[str, str],
    task: str | None,
    no_reset: bool,
    env: tuple[str, ...],
    yes: bool,
) -> None:
    """Run the failed tasks of executions again; --env is merged into the environment.

    Example: ostro execution rerun ID --task upload -e host=t2
    """
    client, variables = server.client, read_values("--env", env) if env else None

    change_all(
        server, "rerun", ids, filters, frozenset({"ERROR"}),
        lambda one: client.executions.rerun(one.id, task=task, reset=not no_reset, env=variables), yes=yes, asks=False,
    )  # fmt: skip


@execution.command()
@each_chosen
@click.option("--task", metavar="NAME", help="Only the failed task of that name.")
@at_server
def skip(server: Server, ids: tuple[str, ...], filters: dict[str, str], task: str | None, yes: bool) -> None:
    """Go on without the failed tasks of executions: they become SKIPPED.

    Example: ostro execution skip ID --task notify
    """

    def act(one: Any) -> None:
        for failed in _failed(server, one.id, task):
            server.client.tasks.skip(failed.id)

    change_all(server, "skip", ids, filters, frozenset({"ERROR"}), act, yes=yes, asks=False)


def _failed(server: Server, id: str, task: str | None) -> list[Any]:
    named: dict[str, Any] = {"name": task} if task else {}
    found = list(server.client.executions.tasks(id, state="ERROR", **named))
    if not found:
        of_name = f" '{task}'" if task else ""
        raise InvalidInput(f"The execution {id} has no failed task{of_name}.")
    return found


@execution.command("tree")
@_ID
@at_server
def tree(server: Server, id: str) -> None:
    """List an execution with all its sub-executions.

    Example: ostro execution tree ID
    """
    columns = ("id", "state", "workflow_name", ("started", lambda one: time_text(one.created_at)), "state_info")
    server.out.rows(server.client.executions.tree(id), columns)
