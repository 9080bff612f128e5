"""The command line: parses options and hands over. Each command's work is in a module of its own, imported when used,
so that `ostro version` does not pay for a server.

Exit status: 0 good, 1 the work failed, 2 wrong usage or it could not begin, 3 cancelled, 4 paused.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

import ostro
from ostro.cli.automation import automation
from ostro.cli.nats import nats
from ostro.config import TABLE, Setting, load
from ostro.model.commands import DEFAULT_PROJECT
from ostro.model.errors import OstroError

FAILED = 1
USAGE = 2

Command = TypeVar("Command", bound=Callable[..., Any])

CONFIG = click.option("--config", metavar="FILE", help="TOML file with settings. [env OSTRO_CONFIG]")
DATABASE = click.option("--database", metavar="FILE", help="SQLite file or URL. [env OSTRO_DATABASE]")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def app() -> None:
    """Durable workflow automation, compatible with Mistral's API and workflow language."""


app.add_command(automation)
app.add_command(nats)


def fail(message: str, status: int = USAGE) -> NoReturn:
    print(f"ostro: {message}", file=sys.stderr)
    sys.exit(status)


def _option(setting: Setting) -> Callable[[Command], Command]:
    """The option of a setting. Its text is converted, and refused, by `config`."""
    default = f"; default {setting.default_text}" if setting.default else ""
    help = f"{setting.text} [env {setting.variable}{default}]"
    if setting.kind is bool:
        return click.option(f"{setting.option}/--no-{setting.option[2:]}", default=None, help=help)
    if setting.kind is list:
        return click.option(setting.option, multiple=True, metavar="A,B", help=help)
    metavar = "|".join(setting.kind) if isinstance(setting.kind, tuple) else "TEXT" if setting.kind is str else "N"
    return click.option(setting.option, metavar=metavar, help=help)


def _takes_settings(command: Command) -> Command:
    """One option per setting, in the order of the table."""
    for setting in reversed(TABLE.values()):
        command = _option(setting)(command)
    return command


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Options as `config.load` takes them: None for what was not given, a repeated list option as one list."""
    return {
        name: (",".join(value) if value else None) if isinstance(value, tuple) else value
        for name, value in options.items()
    }


@app.command()
@CONFIG
@_takes_settings
def serve(config: str | None, **options: Any) -> None:
    """Start the server. Settings come from options, then the environment, then the configuration file."""
    from ostro.cli import logs

    try:
        settings = load(_given(options), config=config)
        logs.configure(settings.log_level, settings.log_format)
        from ostro.cli.serve import serve as run_server

        run_server(settings)
    except OstroError as error:
        fail(error.message)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("workflow", required=False)
@click.option(
    "--input",
    "-i",
    multiple=True,
    metavar="KEY=VALUE",
    help="Input: a value is JSON or else a text. Also a JSON object, or a file.",
)
@click.option("--env", "-e", multiple=True, metavar="KEY=VALUE", help="Environment, given as input is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end, nothing else.")
@click.option("--database", metavar="FILE", help="Keep the execution here. Default: nowhere.")
@CONFIG
@click.option("--verbose", "-v", is_flag=True, help="Log what happens inside.")
def run(
    file: Path,
    workflow: str | None,
    input: tuple[str, ...],
    env: tuple[str, ...],
    as_json: bool,
    database: str | None,
    config: str | None,
    verbose: bool,
) -> None:
    """Run a workflow or an automation of FILE right here, without a server. WORKFLOW: which of several.

    The exit status tells how it ended: 0 success, 1 error, 3 cancelled, 4 paused.
    """
    from ostro.cli import logs

    logs.configure("info" if verbose else "error", "text")
    try:
        from ostro.cli.run import Request, run_file

        request = Request(file=file, workflow=workflow, input=input, env=env, as_json=as_json, database=database)
        status = run_file(request, load({}, config=config))
    except OstroError as error:
        fail(error.message)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


@app.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--verbose", "-v", is_flag=True, help="Also tell which YAQL expressions the compiler does not know.")
def lint(files: tuple[Path, ...], verbose: bool) -> None:
    """Check workflows, workbooks, actions, automations. Findings come with line, column and an explanation."""
    from ostro.cli.lint import lint_files

    sys.exit(lint_files(files, verbose=verbose))


@app.group()
def db() -> None:
    """Look after the database."""


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@DATABASE
@CONFIG
def backup(file: Path, database: str | None, config: str | None) -> None:
    """Write a consistent copy of the database to FILE, also while a server is running."""
    from ostro.cli.database import back_up

    try:
        print(back_up(load({"database": database}, config=config), file))
    except OstroError as error:
        fail(error.message, FAILED)


@db.command()
@DATABASE
@CONFIG
def check(database: str | None, config: str | None) -> None:
    """Look whether the database can be read, is whole, and fits this version."""
    from ostro.cli.database import check as check_database

    try:
        print(check_database(load({"database": database}, config=config)))
    except OstroError as error:
        fail(error.message, FAILED)


@app.group()
def token() -> None:
    """Make, list and revoke API tokens, for `ostro serve --auth token`."""


@token.command("create")
@click.option("--project", required=True, metavar="NAME", help="Project that the token's owner works in.")
@click.option("--user", default="api", metavar="NAME", help="Name of the token's owner. [default api]")
@click.option("--role", "roles", multiple=True, metavar="NAME", help="A role; `admin` sees and changes all projects.")
@click.option("--expires", default="365d", metavar="TIME", help="90d, 12h, 30m, 1y or never. [default 365d]")
@click.option("--description", default="", metavar="TEXT", help="What the token is for.")
@DATABASE
@CONFIG
def create_token(
    project: str,
    user: str,
    roles: tuple[str, ...],
    expires: str,
    description: str,
    database: str | None,
    config: str | None,
) -> None:
    """Make a token and print it, alone on standard output. It cannot be shown again."""
    from ostro.cli.token import create

    try:
        text, about = create(
            load({"database": database}, config=config),
            project=project,
            user=user,
            roles=roles,
            expires=expires,
            description=description,
        )
    except OstroError as error:
        fail(error.message, FAILED)
    print(about, file=sys.stderr)
    print(text)


@token.command("list")
@DATABASE
@CONFIG
def list_tokens(database: str | None, config: str | None) -> None:
    """List all tokens: who they are for and whether they are still good, not the tokens themselves."""
    from ostro.cli.tables import print_table
    from ostro.cli.token import list_all

    try:
        print_table(list_all(load({"database": database}, config=config)))
    except OstroError as error:
        fail(error.message, FAILED)


@token.command("revoke")
@click.argument("id")
@DATABASE
@CONFIG
def revoke_token(id: str, database: str | None, config: str | None) -> None:
    """Revoke the token with that id."""
    from ostro.cli.token import revoke

    try:
        print(revoke(load({"database": database}, config=config), id))
    except OstroError as error:
        fail(error.message, FAILED)


@app.group()
def secret() -> None:
    """Keep secrets for actions: `<% secret(name) %>` in their input. Needs a key, see `ostro secret key`."""


PROJECT = click.option("--project", default=DEFAULT_PROJECT, metavar="NAME", help="Project of the secret.")
KEYS = click.option("--secret-key-file", metavar="FILE", help="File with the keys. [env OSTRO_SECRET_KEY_FILE]")


@secret.command("set")
@click.argument("name")
@PROJECT
@KEYS
@DATABASE
@CONFIG
def set_secret(name: str, project: str, secret_key_file: str | None, database: str | None, config: str | None) -> None:
    """Store a secret, or change it. The value is asked for, or read from standard input."""
    from ostro.cli.secret import set_one

    try:
        settings = load({"database": database, "secret_key_file": secret_key_file}, config=config)
        if sys.stdin.isatty():
            value = click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True)
        else:
            value = sys.stdin.read().removesuffix("\n")
        print(set_one(settings, name, value, project))
    except OstroError as error:
        fail(error.message, FAILED)


@secret.command("list")
@click.option("--project", default=None, metavar="NAME", help="Only of this project.")
@DATABASE
@CONFIG
def list_secrets(project: str | None, database: str | None, config: str | None) -> None:
    """List names of secrets, with the key that each is sealed by. Never values."""
    from ostro.cli.secret import list_all
    from ostro.cli.tables import print_table

    try:
        print_table(list_all(load({"database": database}, config=config), project))
    except OstroError as error:
        fail(error.message, FAILED)


@secret.command("delete")
@click.argument("name")
@PROJECT
@DATABASE
@CONFIG
def delete_secret(name: str, project: str, database: str | None, config: str | None) -> None:
    """Delete a secret."""
    from ostro.cli.secret import delete

    try:
        print(delete(load({"database": database}, config=config), name, project))
    except OstroError as error:
        fail(error.message, FAILED)


@secret.command("rotate")
@KEYS
@DATABASE
@CONFIG
def rotate_secrets(secret_key_file: str | None, database: str | None, config: str | None) -> None:
    """Seal all secrets anew by the first key."""
    from ostro.cli.secret import rotate

    try:
        print(rotate(load({"database": database, "secret_key_file": secret_key_file}, config=config)))
    except OstroError as error:
        fail(error.message, FAILED)


@secret.command("key")
def make_key() -> None:
    """Print a new key for secrets."""
    from ostro.adapters.vault import new_key

    print(new_key())


@app.command("import")
@click.option(
    "--from-mistral", "source", required=True, metavar="URL", help="API to copy from, such as http://m:8989/v2."
)
@click.option(
    "--to", "target", default="http://127.0.0.1:8989/v2", show_default=True, metavar="URL", help="Ostro's API."
)
@click.option("--from-token", envvar="OSTRO_FROM_TOKEN", default="", metavar="TOKEN", help="[env OSTRO_FROM_TOKEN]")
@click.option("--to-token", envvar="OSTRO_TOKEN", default="", metavar="TOKEN", help="[env OSTRO_TOKEN]")
@click.option(
    "--only", multiple=True, metavar="KIND", help="actions, workbooks, workflows, environments, cron_triggers."
)
@click.option("--replace", is_flag=True, help="Overwrite what is there already and differs.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
@click.option("--verbose", "-v", is_flag=True, help="Also tell what is there already.")
def import_all(
    source: str,
    target: str,
    from_token: str,
    to_token: str,
    only: tuple[str, ...],
    replace: bool,
    dry_run: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Copy workbooks, workflows, actions, environments and cron triggers from a Mistral. Can be repeated."""
    from ostro.cli.importing import KINDS, Plan, run_import
    from ostro.cli.importing_remote import Remote
    from ostro.cli.importing_report import report

    kinds = tuple(part for given in only for part in given.split(",")) or tuple(KINDS)
    if unknown := set(kinds) - set(KINDS):
        fail(f"--only {', '.join(sorted(unknown))}: there is no such kind. There are: {', '.join(KINDS)}.")
    try:
        plan = Plan(Remote(source, from_token), Remote(target, to_token), replace, dry_run)
        status = report(run_import(plan, kinds), as_json=as_json, verbose=verbose)
    except OstroError as error:
        fail(error.message, FAILED)
    sys.exit(status)


@app.command()
@DATABASE
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(database: str | None, config: str | None, as_json: bool) -> None:
    """Look for what is wrong: database, versions, clock, disk, configuration, stuck work. Changes nothing.

    Exit status: 0 all good or only hints, 1 something is wrong.
    """
    from ostro.cli.doctor import examine

    try:
        settings = load({"database": database}, config=config)
    except OstroError as error:
        fail(error.message, FAILED)
    sys.exit(examine(settings, as_json=as_json))


@app.command()
def version() -> None:
    """Print the version."""
    print(f"ostro {ostro.__version__}")
