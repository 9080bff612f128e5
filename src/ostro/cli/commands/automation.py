"""`ostro automation`: HTTP automations, at a server and in files. What needs no server is in `automation_local`."""

import sys
from pathlib import Path
from typing import Any

import click

from ostro.cli.options import CONFIG
from ostro.cli.output import Column, to_json
from ostro.cli.server import (
    ENV,
    INPUT,
    LIMIT,
    SORT,
    WHERE,
    YES,
    Server,
    at_server,
    confirmed,
    filters_of,
    read_text,
    work,
)

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False))
_UID = click.argument("uid")
_STATE = click.option("--state", multiple=True, metavar="KEY=VALUE", help="Fields that steps would have written.")


@click.group()
def automation() -> None:
    """HTTP automations, lists of API calls with retries: `ostro automation create greet.yaml`."""


@automation.command("list")
@click.option("--deleted", is_flag=True, help="Also what was deleted.")
@WHERE
@SORT
@LIMIT
@at_server
def list_all(server: Server, deleted: bool, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List the automations of a server.

    Example: ostro automation list --deleted
    """
    filters = filters_of(where) | ({"include_deleted": "true"} if deleted else {})
    found = server.client.automations.list(limit=limit + 1, sort=sort or "name", **filters)
    columns: list[Column] = ["name", "uid", "scope", "updated", ("steps", lambda one: len(one.steps))]
    server.out.rows(found, [*columns, "deleted"] if deleted else columns, limit=limit)


@automation.command()
@_UID
@at_server
def show(server: Server, uid: str) -> None:
    """Print the automation with that UID or name, as YAML unless --json is given.

    Example: ostro automation show Greet > greet.yaml
    """
    found = server.find(server.client.automations, uid)
    if server.out.is_for_people:
        server.out.form = "yaml"
    server.out.one(found)


@automation.command()
@_FILE
@at_server
def create(server: Server, file: str) -> None:
    """Store the automation of FILE at a server and print its uid.

    Example: ostro automation create greet.yaml
    """
    made = server.client.automations.create(read_text(file))
    server.out.result(made, made.uid)


@automation.command()
@_UID
@_FILE
@at_server
def update(server: Server, uid: str, file: str) -> None:
    """Replace the automation with that UID or name by that of FILE.

    Example: ostro automation update Greet greet.yaml
    """
    made = server.client.automations.update(uid, read_text(file))
    server.out.result(made, made.uid)


@automation.command()
@_UID
@click.option("--purge", is_flag=True, help="For ever: it cannot be restored. For administrators.")
@YES
@at_server
def delete(server: Server, uid: str, purge: bool, yes: bool) -> None:
    """Delete the automation with that UID or name; `restore` brings it back. Only with --purge it is asked first.

    Example: ostro automation delete Greet
    """
    found = None if purge else server.find(server.client.automations, uid)  # a deleted one is known by uid alone
    name = uid if found is None else found.name
    if purge and not confirmed(f"Delete {name} for ever?", yes=yes):
        return
    server.client.automations.delete(uid, purge=purge)
    server.out.result({"uid": uid if found is None else found.uid}, f"Deleted: {name}.")


@automation.command()
@_UID
@at_server
def restore(server: Server, uid: str) -> None:
    """Bring a deleted automation back.

    Example: ostro automation restore UID
    """
    made = server.client.automations.restore(uid)
    server.out.result(made, made.uid)


@automation.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def validate(files: tuple[Path, ...]) -> None:
    """Check automations, without a server: the same as `ostro lint`.

    Example: ostro automation validate greet.yaml
    """
    from ostro.cli.lint import lint_files

    sys.exit(lint_files(files, verbose=False))


@automation.command()
@click.argument("file")
@INPUT
@_STATE
@ENV
@click.option("--user", multiple=True, metavar="KEY=VALUE", help="USER, if FILE is a file: user_id, roles, ...")
@CONFIG
@at_server
def preview(
    server: Server,
    file: str,
    input: tuple[str, ...],
    state: tuple[str, ...],
    env: tuple[str, ...],
    user: tuple[str, ...],
    config: str | None,
) -> None:
    """Print the calls that a run of FILE would make, secrets masked; nothing is sent.

    FILE: a file, then no server is needed; else the uid or name of an automation at the server.

    Example: ostro automation preview greet.yaml -i directory=https://directory.example.com
    """
    import os

    from ostro.cli.automation_local import previewed
    from ostro.cli.values import read_values

    given, written = read_values("--input", input), read_values("--state", state)
    variables = read_values("--env", env)
    if Path(file).is_file():
        token = os.environ.get("OSTRO_TOKEN")
        who = read_values("--user", user) | ({"token": token} if token else {})
        calls = previewed(Path(file), {"input": given, "state": written, "env": variables}, who, config)
    else:
        calls = server.client.automations.preview(file, given, state=written, env=variables)
    if server.out.form == "yaml":
        server.out.data({"calls": calls})
    else:
        print(to_json({"calls": calls}))


@automation.command()
@_UID
@INPUT
@ENV
@click.option("--description", metavar="TEXT", help="Of the execution.")
@click.option("--wait", type=click.IntRange(0), default=0, metavar="SECONDS", help="Wait for the end so long.")
@at_server
def run(
    server: Server, uid: str, input: tuple[str, ...], env: tuple[str, ...], description: str | None, wait: int
) -> None:
    """Run the automation with that UID or name at the server and print the execution.

    The exit status is 1 if the run has failed. For a file without a server: `ostro run FILE`.

    Example: ostro automation run Greet -i directory=https://directory.example.com --wait 60
    """
    from ostro.cli.values import read_values
    from ostro.sdk import NotFound

    try:
        made = server.client.automations.run(
            uid,
            read_values("--input", input),
            wait=wait or False,
            env=read_values("--env", env) if env else None,
            description=description,
        )
    except NotFound:
        server.find(server.client.automations, uid)
        raise
    if server.out.is_for_people:
        server.out.form = "json"
    server.out.one(made)
    server.status = 1 if made.state in ("ERROR", "CANCELLED") else 0


@automation.group("import")
def import_group() -> None:
    """Make an automation from what there is; prints it as YAML."""


@import_group.command("openapi")
@click.argument("spec")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="operationId, or `GET /path`. In order.")
@click.option("--base-url", metavar="URL", help="In place of the document's server; may be a template.")
def import_openapi(spec: str, operations: tuple[str, ...], base_url: str | None) -> None:
    """One step per operation of an OpenAPI document (a file, or an http(s) address).

    Example: ostro automation import openapi users.yaml --operation listUsers
    """
    from ostro.cli.automation_local import imported_openapi

    sys.exit(work(lambda: imported_openapi(spec, operations, base_url)))


@import_group.command("curl")
@click.argument("command")
@click.option("--name", metavar="TEXT", help="Of the automation; default: that of its step.")
def import_curl(command: str, name: str | None) -> None:
    """One step that makes the call of a curl COMMAND, given as one argument.

    Example: ostro automation import curl 'curl https://api.example.com/users'
    """
    from ostro.cli.automation_local import imported_curl

    sys.exit(work(lambda: imported_curl(command, name)))


@automation.group("export")
def export_group() -> None:
    """Write an automation in another form."""


@export_group.command("arazzo")
@click.argument("file")
@click.option("--output", metavar="FOLDER", type=click.Path(path_type=Path), help="Also write the documents it needs.")
@at_server
def export_arazzo(server: Server, file: str, output: Path | None) -> None:
    """Print an automation as Arazzo 1.0 (JSON); what that cannot express is told on standard error.

    FILE: a file, or the uid or name of an automation at the server.

    Example: ostro automation export arazzo greet.yaml --output arazzo/
    """
    from ostro.cli.automation_local import exported_arazzo
    from ostro.cli.output import plain

    if Path(file).is_file():
        text = read_text(file)
    else:
        found: dict[str, Any] = plain(server.find(server.client.automations, file))
        text = to_json(found)
    exported_arazzo(text, output)
