"""`ostro workflow`, `ostro workbook`, `ostro action`: texts that are uploaded as they are."""

from collections.abc import Sequence
from typing import Any

import click

from ostro.cli.output import Column, note, time_text
from ostro.cli.server import (
    INPUT,
    LIMIT,
    NAMESPACE,
    SCOPE,
    SORT,
    WHERE,
    YES,
    Server,
    at_server,
    confirmed,
    filters_of,
    read_text,
)

_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...")
_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


def _several(made: Any) -> list[Any]:
    return list(made) if isinstance(made, Sequence) else [made]


def _help(what: str, example: str) -> str:
    return f"{what}\n\nExample: ostro {example}"


def _group(kind: str, collection: str, columns: Sequence[Column], default_sort: str) -> click.Group:
    """The commands that all three kinds have."""
    plural = f"{kind}s"

    def of(server: Server) -> Any:
        return getattr(server.client, collection)

    @click.group(kind, help=f"{plural.capitalize()}: `ostro {kind} create {kind}.yaml`.")
    def group() -> None:
        pass

    @group.command("list", help=_help(f"List {plural}.", f"{kind} list --where name=has:deploy"))
    @WHERE
    @NAMESPACE
    @SORT
    @LIMIT
    @at_server
    def list_all(server: Server, where: tuple[str, ...], namespace: str | None, sort: str | None, limit: int) -> None:
        filters = filters_of(where) | ({} if namespace is None else {"namespace": namespace})
        found = of(server).list(limit=limit + 1, sort=sort or default_sort, **filters)
        server.out.rows(found, columns, limit=limit)

    @group.command(
        "show", help=_help(f"Print the text; with --json or --yaml all about the {kind}.", f"{kind} show NAME")
    )
    @click.argument("name")
    @NAMESPACE
    @at_server
    def show(server: Server, name: str, namespace: str | None) -> None:
        found = server.find(of(server), name, namespace=namespace)
        if server.out.is_for_people and found.definition:
            print(found.definition.rstrip("\n"))
        else:
            server.out.one(found)

    def upload(server: Server, files: tuple[str, ...], verb: str, scope: str | None, namespace: str | None) -> None:
        from ostro.sdk import Conflict

        made = []
        for file in files:
            text = read_text(file)
            try:
                done = getattr(of(server), verb)(text, scope=scope, namespace=namespace)
            except Conflict as error:
                error.hint = error.hint or f"To replace what is there: ostro {kind} update {file}"
                raise
            made += _several(done)
        names = ", ".join(one.name for one in made)
        server.out.result(made, f"{verb.capitalize()}d: {names}.")

    @group.command(
        "create", help=_help(f"Store the {plural} of files (-: standard input).", f"{kind} create {kind}.yaml")
    )
    @_FILES
    @SCOPE
    @NAMESPACE
    @at_server
    def create(server: Server, files: tuple[str, ...], scope: str | None, namespace: str | None) -> None:
        upload(server, files, "create", scope, namespace)

    @group.command(
        "update", help=_help(f"Replace the {plural} that files define, by name.", f"{kind} update {kind}.yaml")
    )
    @_FILES
    @SCOPE
    @NAMESPACE
    @at_server
    def update(server: Server, files: tuple[str, ...], scope: str | None, namespace: str | None) -> None:
        upload(server, files, "update", scope, namespace)

    @group.command("delete", help=_help(f"Delete {plural}; what runs goes on.", f"{kind} delete NAME --yes"))
    @_NAMES
    @NAMESPACE
    @YES
    @at_server
    def delete(server: Server, names: tuple[str, ...], namespace: str | None, yes: bool) -> None:
        found = [server.find(of(server), name, namespace=namespace) for name in names]
        if not confirmed(f"Delete {', '.join(one.name for one in found)}?", yes=yes):
            return
        for one in found:
            of(server).delete(one.name if collection == "workbooks" else one.id, namespace=namespace)
        server.out.result(found, f"Deleted: {', '.join(one.name for one in found)}.")

    @group.command(
        "validate", help=_help("Check files at the server (`ostro lint` needs none).", f"{kind} validate {kind}.yaml")
    )
    @_FILES
    @at_server
    def validate(server: Server, files: tuple[str, ...]) -> None:
        verdicts = {file: of(server).validate(read_text(file)) for file in files}
        server.status = 0 if all(verdict.valid for verdict in verdicts.values()) else 1
        if not server.out.is_for_people:
            server.out.data([{"file": file, **_plain(verdict)} for file, verdict in verdicts.items()])
            return
        for file, verdict in verdicts.items():
            for problem in verdict.problems:
                place = f":{problem.line}:{problem.column}" if problem.line else ""
                print(f"{file}{place}: {problem.severity}: {problem.message}")
            if not verdict.problems:
                print(f"{file}: {'good' if verdict.valid else verdict.error}")

    return group


def _plain(value: Any) -> Any:
    from ostro.cli.output import plain

    return plain(value)


workflow = _group(
    "workflow", "workflows", ("name", "namespace", "input", "tags", "scope", "updated_at", "created_at", "id"), "name"
)
workbook = _group("workbook", "workbooks", ("name", "namespace", "tags", "scope", "updated_at", "created_at"), "name")
action = _group(
    "action", "actions", ("name", "input", "namespace", ("built in", lambda one: one.is_system), "description"), "name"
)


@workflow.command()
@click.argument("name")
@NAMESPACE
@LIMIT
@at_server
def revisions(server: Server, name: str, namespace: str | None, limit: int) -> None:
    """List the texts that a workflow has had, newest first; with --json the texts too. Also of an automation, by uid.

    Example: ostro workflow revisions deploy
    """
    found = server.client.workflows.revisions(name, namespace=namespace, limit=limit + 1)
    columns: tuple[Column, ...] = (
        "id", "created_at", ("current", lambda one: one.is_current),
        ("lines", lambda one: one.definition.count("\n") + 1),
    )  # fmt: skip
    server.out.rows(found, columns, limit=limit)


@workflow.command()
@click.argument("name")
@NAMESPACE
@click.option("--from", "old", metavar="ID", help="A revision; default: the one before the newest.")
@click.option("--to", "new", metavar="ID", help="A revision; default: the newest.")
@at_server
def diff(server: Server, name: str, namespace: str | None, old: str | None, new: str | None) -> None:
    """Show what changed between two revisions of a workflow.

    Example: ostro workflow diff deploy
    """
    from difflib import unified_diff

    from ostro.model.errors import InvalidInput

    found = list(server.client.workflows.revisions(name, namespace=namespace, limit=None if old or new else 2))
    by_id = {one.id: one for one in found}
    for id in filter(None, (old, new)):
        if id not in by_id:
            raise InvalidInput(f"The workflow {name} has no revision {id}; see `ostro workflow revisions {name}`.")
    if not old and len(found) < 2:
        note(f"The workflow {name} has had only one text.")
        return
    before, after = by_id[old] if old else found[1], by_id[new] if new else found[0]
    lines = unified_diff(
        before.definition.splitlines(),
        after.definition.splitlines(),
        f"{name} {time_text(before.created_at)}",
        f"{name} {time_text(after.created_at)}",
        lineterm="",
    )
    if server.out.is_for_people:
        for line in lines:
            print(line)
    else:
        server.out.data({"from": before.id, "to": after.id, "diff": list(lines)})


@workflow.command()
@click.argument("name")
@click.option("--workflow", metavar="NAME", help="Which one of a file that has several.")
@NAMESPACE
@at_server
def graph(server: Server, name: str, workflow: str | None, namespace: str | None) -> None:
    """Show what leads to what in a workflow. NAME: of a workflow at the server, or a file.

    Example: ostro workflow graph deploy.yaml
    """
    from pathlib import Path

    from ostro.cli.graphs import print_graph

    if Path(name).is_file():
        text = read_text(name)
    else:
        text = server.find(server.client.workflows, name, namespace=namespace).definition or ""
    print_graph(server, server.client.graph(text, workflow=workflow))


@action.command()
@click.argument("name")
@INPUT
@click.option("--target", metavar="NAME", help="Executor that is to run it.")
@click.option("--timeout", type=float, metavar="SECONDS", help="How long it may take.")
@click.option("--no-wait", is_flag=True, help="Do not wait for its end.")
@at_server
def run(
    server: Server, name: str, input: tuple[str, ...], target: str | None, timeout: float | None, no_wait: bool
) -> None:
    """Run one action alone and print its result. The exit status is 1 if it failed.

    Example: ostro action run std.echo -i output=hello
    """
    from ostro.cli.output import as_text
    from ostro.cli.values import read_values
    from ostro.sdk import InvalidRequest

    values = read_values("--input", input)
    try:
        done = server.client.action_executions.run(name, values, wait=not no_wait, timeout=timeout, target=target)
    except InvalidRequest as error:
        error.hint = error.hint or server.alike(server.client.actions, name)
        raise
    server.status = 1 if done.state in ("ERROR", "CANCELLED") else 0
    if not server.out.is_for_people:
        server.out.one(done)
    elif done.state == "RUNNING":
        note(f"It is running: ostro action-execution show {done.id}")
        print(done.id)
    else:
        print(as_text(done.result))
