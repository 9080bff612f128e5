"""`ostro automation`: its commands and options. The work is in `automation_local` (without a server) and
`automation_remote` (at a server), imported when used."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ostro.model.errors import OstroError

FAILED = 1
DEFAULT_SERVER = "http://127.0.0.1:8989"

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_SERVER = click.option(
    "--server", envvar="OSTRO_SERVER", default=DEFAULT_SERVER, metavar="URL", help="The server. [env OSTRO_SERVER]"
)
_TOKEN = click.option("--token", envvar="OSTRO_TOKEN", default="", help="Who asks. [env OSTRO_TOKEN]")
_INPUT = click.option(
    "--input", "-i", multiple=True, metavar="KEY=VALUE", help="INPUT of the run, as `ostro run` has it."
)
_CONFIG = click.option("--config", metavar="FILE", help="TOML file with settings. [env OSTRO_CONFIG]")


def _at_server(command: Command) -> Command:
    return _SERVER(_TOKEN(command))


def _or_fail(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except OstroError as error:
        print(f"ostro: {error.message}", file=sys.stderr)
        sys.exit(FAILED)


@click.group()
def automation() -> None:
    """HTTP automations: lists of API calls with retries."""


@automation.command("list")
@click.option("--deleted", is_flag=True, help="Also what was deleted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_at_server
def list_all(server: str, token: str, deleted: bool, as_json: bool) -> None:
    """List the automations of a server."""
    from ostro.cli.automation_remote import Door, listed

    _or_fail(lambda: listed(Door(server, token), deleted=deleted, as_json=as_json))


@automation.command()
@click.argument("uid")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, not YAML.")
@_at_server
def show(uid: str, server: str, token: str, as_json: bool) -> None:
    """Print the automation with that UID or name."""
    from ostro.cli.automation_remote import Door, shown

    _or_fail(lambda: print(shown(Door(server, token), uid, as_json=as_json)))


@automation.command()
@_FILE
@_at_server
def create(file: Path, server: str, token: str) -> None:
    """Store the automation of FILE at a server and print its uid."""
    from ostro.cli.automation_remote import Door

    _or_fail(lambda: print(Door(server, token).upload("POST", "workflows", file)["uid"]))


@automation.command()
@click.argument("uid")
@_FILE
@_at_server
def update(uid: str, file: Path, server: str, token: str) -> None:
    """Replace the automation with that UID or name by that of FILE."""
    from ostro.cli.automation_remote import Door, one

    _or_fail(lambda: print(Door(server, token).upload("PUT", one(uid), file)["uid"]))


@automation.command()
@click.argument("uid")
@click.option("--purge", is_flag=True, help="For ever: it cannot be restored. For administrators.")
@_at_server
def delete(uid: str, server: str, token: str, purge: bool) -> None:
    """Delete the automation with that UID or name; `restore` brings it back."""
    from ostro.cli.automation_remote import Door, one

    query = {"purge": "true"} if purge else {}
    _or_fail(lambda: Door(server, token).send("DELETE", one(uid), query=query))


@automation.command()
@click.argument("uid")
@_at_server
def restore(uid: str, server: str, token: str) -> None:
    """Bring a deleted automation back."""
    from ostro.cli.automation_remote import Door, one

    _or_fail(lambda: print(Door(server, token).send("POST", f"{one(uid)}/restore")["uid"]))


@automation.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check automations, without a server: the same as `ostro lint`."""
    from ostro.cli.lint import lint_files

    sys.exit(lint_files(files, verbose=False))


@automation.command()
@click.argument("file")
@_INPUT
@click.option("--state", multiple=True, metavar="KEY=VALUE", help="Fields that steps would have written.")
@click.option("--env", "-e", multiple=True, metavar="KEY=VALUE", help="The environment, for env().")
@click.option("--user", multiple=True, metavar="KEY=VALUE", help="USER, if FILE is a file: user_id, roles, ...")
@_CONFIG
@_at_server
def preview(
    file: str,
    input: tuple[str, ...],
    state: tuple[str, ...],
    env: tuple[str, ...],
    user: tuple[str, ...],
    config: str | None,
    server: str,
    token: str,
) -> None:
    """Print the calls that a run of FILE would make, secrets masked; nothing is sent.

    FILE: a file, then no server is needed; else the uid or name of an automation at the server.
    """
    from ostro.cli.automation_local import previewed
    from ostro.cli.automation_remote import Door, one, to_json
    from ostro.cli.values import read_values

    def work() -> Any:
        body = {
            "input": read_values("--input", input),
            "state": read_values("--state", state),
            "env": read_values("--env", env),
        }
        if not Path(file).is_file():
            return Door(server, token).send("POST", f"{one(file)}/preview", body)
        who = read_values("--user", user) | ({"token": token} if token else {})
        return {"calls": previewed(Path(file), body, who, config)}

    print(to_json(_or_fail(work)))


@automation.command()
@click.argument("uid")
@_INPUT
@click.option("--env", "-e", multiple=True, metavar="KEY=VALUE", help="The environment, for env().")
@click.option("--description", default="", metavar="TEXT", help="Of the execution.")
@click.option("--wait", type=int, default=0, metavar="SECONDS", help="Wait for the end so long; default: do not.")
@_at_server
def run(
    uid: str,
    input: tuple[str, ...],
    env: tuple[str, ...],
    description: str,
    wait: int,
    server: str,
    token: str,
) -> None:
    """Run the automation with that UID or name at the server and print the execution.

    The exit status is 1 if the run has failed. For a file without a server: `ostro run FILE`.
    """
    from ostro.cli.automation_remote import Door, start, to_json
    from ostro.cli.values import read_values

    def work() -> Any:
        body = {"input": read_values("--input", input), "description": description}
        if env:
            body["env"] = read_values("--env", env)
        return start(Door(server, token), uid, body, wait)

    execution = _or_fail(work)
    print(to_json(execution))
    sys.exit(FAILED if execution["state"] in ("ERROR", "CANCELLED") else 0)


@automation.group("import")
def import_group() -> None:
    """Make an automation from what there is; prints it as YAML."""


@import_group.command("openapi")
@click.argument("spec")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="operationId, or `GET /path`. In order.")
@click.option("--base-url", metavar="URL", help="In place of the document's server; may be a template.")
def import_openapi(spec: str, operations: tuple[str, ...], base_url: str | None) -> None:
    """One step per operation of an OpenAPI document (a file, or an http(s) address)."""
    from ostro.cli.automation_local import imported_openapi

    _or_fail(lambda: imported_openapi(spec, operations, base_url))


@import_group.command("curl")
@click.argument("command")
@click.option("--name", metavar="TEXT", help="Of the automation; default: that of its step.")
def import_curl(command: str, name: str | None) -> None:
    """One step that makes the call of a curl COMMAND, given as one argument."""
    from ostro.cli.automation_local import imported_curl

    _or_fail(lambda: imported_curl(command, name))


@automation.group("export")
def export_group() -> None:
    """Write an automation in another form."""


@export_group.command("arazzo")
@click.argument("file")
@click.option("--output", metavar="FOLDER", type=click.Path(path_type=Path), help="Also write the documents it needs.")
@_at_server
def export_arazzo(file: str, output: Path | None, server: str, token: str) -> None:
    """Print an automation as Arazzo 1.0 (JSON); what that cannot express is told on standard error.

    FILE: a file, or the uid or name of an automation at the server.
    """
    from ostro.cli.automation_local import exported_arazzo
    from ostro.cli.automation_remote import Door, shown

    def work() -> None:
        text = Path(file).read_text("utf-8-sig") if Path(file).is_file() else None
        exported_arazzo(shown(Door(server, token), file, as_json=True) if text is None else text, output)

    _or_fail(work)
