"""`ostro nats`: what a NATS server must be told about Ostro."""

import asyncio

import click

from ostro.cli.failures import FAILED
from ostro.cli.options import CONFIG
from ostro.config import Settings, load
from ostro.model.errors import OstroError


@click.group()
def nats() -> None:
    """Look after the NATS server of a cell."""


@nats.command()
@click.option("--role", "roles", multiple=True, metavar="A,B", help="api, engine, executor; several are one user.")
@click.option("--name", "names", multiple=True, help="Of an executor (its --name): the target whose work it may take.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Of the executor: further targets.")
@click.option("--shared/--no-shared", default=True, help="Whether executors take work without a target.")
@click.option("--prefix", default="ostro", show_default=True, help="As --nats-prefix of the processes.")
@click.option("--json", "as_json", is_flag=True, help="Print the permissions alone, as JSON.")
def permissions(
    roles: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    shared: bool,
    prefix: str,
    as_json: bool,
) -> None:
    """Print users for nats-server's configuration file, with what they may do: one with the roles given, or an api, an
    engine and an executor for each --name. Passwords are taken from variables that the text names."""
    from ostro.adapters.nats import permissions as texts
    from ostro.cli.main import fail

    wanted = [part for role in roles for part in role.split(",") if part]
    users = [(wanted, name) for name in names or ("",)]
    if not wanted:
        users = [(["api"], ""), (["engine"], ""), *((["executor"], name) for name in names or ("local",))]
    if labels and len(names) > 1:
        fail("--label belongs to one executor: give one --name.")
    try:
        found = [
            (texts.user_name(parts, name), texts.permissions(prefix, parts, name=name, labels=labels, shared=shared))
            for parts, name in users
        ]
    except OstroError as error:
        fail(error.message)
    if not as_json:
        click.echo(texts.as_configuration(found), nl=False)
    elif len(found) == 1:
        click.echo(texts.as_text(found[0][1]))
    else:
        fail("--json needs --role, and one --name at most.")


@nats.command()
@click.option("--nats", "servers", metavar="URL", help="NATS servers. [env OSTRO_NATS]")
@CONFIG
def purge(servers: str | None, config: str | None) -> None:
    """Empty the queue of actions, after the database went back to a backup and before engines start.

    NATS is reached with the settings of `ostro serve`, as an engine. Engines send again what is wanted.

    Example: ostro nats purge --nats nats://mq:4222
    """
    from ostro.cli.main import fail

    try:
        # The database is not used here; without one `load` would refuse --nats.
        settings = load({"nats": servers, "database": "postgresql:///"}, config=config)
        if not settings.nats:
            fail("--nats: name the NATS servers of the cell, such as nats://host:4222.")
        held = asyncio.run(_purge(settings))
    except OstroError as error:
        fail(error.message, FAILED)
    click.echo(f"The queue of actions is empty; it held {held}.")


async def _purge(settings: Settings) -> int:
    from ostro.adapters.nats.connection import Connection
    from ostro.adapters.nats.streams import remove_stream
    from ostro.app_cluster import nats_options
    from ostro.app_core import process_name

    async with Connection(nats_options(settings), role="engine", name=process_name()) as connection:
        return await remove_stream(connection)
