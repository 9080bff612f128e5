"""The command line: parses options and hands over. Each command's work is in a module of its own, imported when used,
so that `ostro version` does not pay for a server.

Exit status: 0 good, 1 the work failed, 2 wrong usage or it could not begin, 3 cancelled, 4 paused, 5 the server does
not answer, 6 not allowed, 7 not found.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

import ostro
from ostro.cli.failures import FAILED, USAGE
from ostro.cli.lazy import LazyGroup, Places
from ostro.cli.options import CONFIG, DATABASE
from ostro.config import TABLE, Setting, load
from ostro.model.errors import OstroError

Command = TypeVar("Command", bound=Callable[..., Any])

_COMMANDS = "ostro.cli.commands"
PLACES: Places = {
    "workflow": (f"{_COMMANDS}.definitions:workflow", "Workflows."),
    "workbook": (f"{_COMMANDS}.definitions:workbook", "Workbooks: workflows and actions in one text."),
    "action": (f"{_COMMANDS}.definitions:action", "Actions, built-in and ad-hoc ones."),
    "automation": (f"{_COMMANDS}.automation:automation", "HTTP automations: lists of API calls with retries."),
    "environment": (f"{_COMMANDS}.environment:environment", "Named variables for executions."),
    "execution": (f"{_COMMANDS}.execution:execution", "Runs of workflows: start, watch, steer."),
    "task": (f"{_COMMANDS}.task:task", "Tasks of executions."),
    "action-execution": (f"{_COMMANDS}.task:action_execution", "Runs of actions; complete asynchronous ones."),
    "overview": (f"{_COMMANDS}.overview:overview", "What runs, what needs attention, what is due next."),
    "cron-trigger": (f"{_COMMANDS}.triggers:cron_trigger", "Workflows started by the clock."),
    "event-trigger": (f"{_COMMANDS}.triggers:event_trigger", "Workflows started by events."),
    "context": (f"{_COMMANDS}.context:context", "Servers by name: log in, switch."),
    "token": (f"{_COMMANDS}.token:token", "API tokens."),
    "secret": (f"{_COMMANDS}.secret:secret", "Secrets for actions."),
    "member": (f"{_COMMANDS}.access:member", "Projects that workflows are shared with."),
    "code-source": (f"{_COMMANDS}.access:code_source", "Uploaded Python for dynamic actions."),
    "dynamic-action": (f"{_COMMANDS}.access:dynamic_action", "Actions whose classes are in code sources."),
    "service": (f"{_COMMANDS}.access:service", "Running processes of the server."),
    "audit": (f"{_COMMANDS}.access:audit", "Who changed what."),
    "maintenance": (f"{_COMMANDS}.overview:maintenance", "Begin or end maintenance."),
    "nats": ("ostro.cli.nats:nats", "Look after the NATS server of a cell."),
    "completion": (f"{_COMMANDS}.completion:completion", "Complete commands in bash, zsh or fish."),
}
SECTIONS = {
    "Without a server": ("run", "lint", "completion", "version"),
    "The server of this machine": ("serve", "db", "doctor", "nats"),
    "Define": ("workflow", "workbook", "action", "automation", "environment"),
    "Run": ("execution", "task", "action-execution", "overview", "cron-trigger", "event-trigger"),
    "Administer": (
        "context", "token", "secret", "member", "code-source", "dynamic-action", "service", "audit", "maintenance",
        "import",
    ),
}  # fmt: skip


@click.group(
    cls=LazyGroup,
    places=PLACES,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(ostro.__version__, message="ostro %(version)s")
def app() -> None:
    """Durable workflow automation, compatible with Mistral's API and workflow language.

    Commands about things at a server talk to http://127.0.0.1:8989 unless --url, OSTRO_URL or `ostro context` says
    otherwise. Exit status: 0 good, 1 it failed, 2 wrong usage, 3 cancelled, 4 paused, 5 the server does not answer,
    6 not allowed, 7 not found.
    """


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


@db.command()
@DATABASE
@CONFIG
def current(database: str | None, config: str | None) -> None:
    """Say which schema the database has, and whether this version can use it."""
    from ostro.cli.database import current as current_schema

    try:
        print(current_schema(load({"database": database}, config=config)))
    except OstroError as error:
        fail(error.message, FAILED)


@db.command()
@DATABASE
@CONFIG
def upgrade(database: str | None, config: str | None) -> None:
    """Bring the database to this version's schema. Servers of the version before may go on with PostgreSQL."""
    from ostro.cli.database import upgrade as upgrade_schema

    try:
        print(upgrade_schema(load({"database": database}, config=config)))
    except OstroError as error:
        fail(error.message, FAILED)


@db.command("copy")
@click.argument("source")
@click.argument("target")
def copy_all(source: str, target: str) -> None:
    """Copy the database SOURCE, which no server may use meanwhile, to the empty database TARGET.

    Each is a SQLite file or a URL. An interrupted copy goes on when the command is given again.
    """
    from ostro.cli.database_copy import copy_database

    try:
        print(copy_database(source, target))
    except OstroError as error:
        fail(error.message, FAILED)


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
