"""`ostro task` and `ostro action-execution`."""

from collections.abc import Callable
from typing import Any

import click

from ostro.cli.output import Column
from ostro.cli.server import ENV, LIMIT, SORT, WHERE, YES, Server, at_server, confirmed, filters_of
from ostro.cli.states import ACTION_STATE, TASK_STATE
from ostro.cli.values import read_values

_ID = click.argument("id")


def _filters(where: tuple[str, ...], state: str | None) -> dict[str, str]:
    filters = filters_of(where)
    if state:
        filters["state"] = state
    return filters


@click.group()
def task() -> None:
    """Tasks of executions: `ostro task list --execution ID`."""


@task.command("list")
@click.option("--execution", metavar="ID", help="Of that execution.")
@TASK_STATE
@WHERE
@SORT
@LIMIT
@at_server
def list_tasks(
    server: Server, execution: str | None, state: str | None, where: tuple[str, ...], sort: str | None, limit: int
) -> None:
    """List tasks; without --execution the newest of all.

    Example: ostro task list --execution ID --state ERROR
    """
    filters = _filters(where, state)
    if execution:
        found = server.client.executions.tasks(execution, limit=limit + 1, **filters)
    else:
        found = server.client.tasks.list(limit=limit + 1, sort=sort or "-created_at", **filters)
    columns: tuple[Column, ...] = (
        "id", "state", "name", "workflow_name", "started_at", "finished_at", ("info", lambda one: one.state_info),
        "type", ("execution", lambda one: one.workflow_execution_id),
    )  # fmt: skip
    server.out.rows(found, columns, limit=limit)


@task.command("show")
@_ID
@at_server
def show_task(server: Server, id: str) -> None:
    """Print a task: state, result, what it published.

    Example: ostro task show ID
    """
    server.out.one(server.client.tasks.get(id))


@task.command()
@_ID
@click.option("--no-reset", is_flag=True, help="Of with-items: only the items that failed.")
@ENV
@at_server
def rerun(server: Server, id: str, no_reset: bool, env: tuple[str, ...]) -> None:
    """Run a failed task again; --env is merged into the environment.

    Example: ostro task rerun ID -e host=t2
    """
    made = server.client.tasks.rerun(id, reset=not no_reset, env=read_values("--env", env) if env else None)
    server.out.result(made, f"{made.name} is run again.")


@task.command()
@_ID
@ENV
@at_server
def skip(server: Server, id: str, env: tuple[str, ...]) -> None:
    """Go on without a failed task.

    Example: ostro task skip ID
    """
    made = server.client.tasks.skip(id, env=read_values("--env", env) if env else None)
    server.out.result(made, f"{made.name} is {made.state}.")


@click.group("action-execution")
def action_execution() -> None:
    """Runs of actions: `ostro action-execution complete ID -o approved=true`."""


@action_execution.command("list")
@click.option("--task", metavar="ID", help="Of that task.")
@ACTION_STATE
@WHERE
@SORT
@LIMIT
@at_server
def list_actions(
    server: Server, task: str | None, state: str | None, where: tuple[str, ...], sort: str | None, limit: int
) -> None:
    """List action executions, the newest first.

    Example: ostro action-execution list --state RUNNING --where name=std.async_noop
    """
    filters = _filters(where, state)
    if task:
        found = server.client.tasks.action_executions(task, limit=limit + 1, **filters)
    else:
        found = server.client.action_executions.list(limit=limit + 1, sort=sort or "-created_at", **filters)
    columns: tuple[Column, ...] = (
        "id", "state", "name", "task_name", "workflow_name", "created_at", "updated_at", "accepted",
        ("info", lambda one: one.state_info),
    )  # fmt: skip
    server.out.rows(found, columns, limit=limit)


@action_execution.command("show")
@_ID
@at_server
def show_action(server: Server, id: str) -> None:
    """Print an action execution: state, input, output.

    Example: ostro action-execution show ID
    """
    server.out.one(server.client.action_executions.get(id))


_OUTPUT = click.option("--output", "-o", multiple=True, metavar="KEY=VALUE", help="Its result, given as input is.")


def _changed(server: Server, id: str, act: Callable[[str], Any]) -> None:
    made = act(id)
    server.out.result(made, f"{made.name} is {made.state}.")


@action_execution.command()
@_ID
@_OUTPUT
@at_server
def complete(server: Server, id: str, output: tuple[str, ...]) -> None:
    """Give the result of an asynchronous action: it ends in SUCCESS.

    Example: ostro action-execution complete ID -o approved=true
    """
    result = read_values("--output", output) if output else None
    _changed(server, id, lambda id: server.client.action_executions.complete(id, result))


@action_execution.command()
@_ID
@_OUTPUT
@at_server
def fail(server: Server, id: str, output: tuple[str, ...]) -> None:
    """End an asynchronous action in ERROR.

    Example: ostro action-execution fail ID -o reason=refused
    """
    result = read_values("--output", output) if output else None
    _changed(server, id, lambda id: server.client.action_executions.fail(id, result))


@action_execution.command()
@_ID
@YES
@at_server
def cancel(server: Server, id: str, yes: bool) -> None:
    """End an action in CANCELLED.

    Example: ostro action-execution cancel ID --yes
    """
    if confirmed(f"Cancel the action execution {id}?", yes=yes):
        _changed(server, id, server.client.action_executions.cancel)


@action_execution.command()
@_ID
@at_server
def pause(server: Server, id: str) -> None:
    """Pause an asynchronous action.

    Example: ostro action-execution pause ID
    """
    _changed(server, id, server.client.action_executions.pause)


@action_execution.command()
@_ID
@at_server
def resume(server: Server, id: str) -> None:
    """Resume an asynchronous action.

    Example: ostro action-execution resume ID
    """
    _changed(server, id, server.client.action_executions.resume)


@action_execution.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@YES
@at_server
def delete(server: Server, ids: tuple[str, ...], yes: bool) -> None:
    """Delete finished actions that ran alone, if the server allows it.

    Example: ostro action-execution delete ID --yes
    """
    if confirmed(f"Delete {', '.join(ids)}?", yes=yes):
        for id in ids:
            server.client.action_executions.delete(id)
        server.out.result({"deleted": list(ids)}, f"Deleted: {', '.join(ids)}.")
