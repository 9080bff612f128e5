"""`ostro cron-trigger` and `ostro event-trigger`."""

from datetime import UTC, datetime

import click

from ostro.cli.output import time_text
from ostro.cli.server import INPUT, LIMIT, SCOPE, SORT, WHERE, YES, Server, at_server, confirmed, filters_of
from ostro.cli.values import read_values

_PARAMS = click.option("--params", multiple=True, metavar="KEY=VALUE", help="Params of executions, given as input is.")
_PATTERNS = "Five fields: minute, hour, day, month, weekday, such as '0 3 * * 1-5'; or a word such as @hourly."
_POLICY = click.Choice(["skip", "one", "all"])
_NAME = click.argument("name")
_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.group("cron-trigger")
def cron_trigger() -> None:
    """Workflows started by the clock: `ostro cron-trigger create nightly backup --pattern "0 3 * * *"`."""


@cron_trigger.command("list")
@WHERE
@SORT
@LIMIT
@at_server
def list_cron(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List cron triggers.

    Example: ostro cron-trigger list --sort next_execution_time
    """
    found = server.client.cron_triggers.list(limit=limit + 1, sort=sort or "name", **filters_of(where))
    columns = (
        "name", "workflow_name", "pattern", ("next", lambda one: one.next_execution_time), "time_zone", "failures",
        ("left", lambda one: one.remaining_executions), "last_error", "id",
    )  # fmt: skip
    server.out.rows(found, columns, limit=limit)


@cron_trigger.command("show")
@_NAME
@at_server
def show_cron(server: Server, name: str) -> None:
    """Print a cron trigger, by name or id.

    Example: ostro cron-trigger show nightly
    """
    server.out.one(server.find(server.client.cron_triggers, name))


@cron_trigger.command("create")
@_NAME
@click.argument("workflow")
@click.option("--pattern", metavar="PATTERN", help='Five fields, or a word such as @hourly: "*/5 * * * *".')
@INPUT
@_PARAMS
@click.option("--at", metavar="TIME", help="First start, 2026-01-31T23:59 (UTC unless it says otherwise).")
@click.option("--count", type=click.IntRange(1), metavar="N", help="So many starts; default: for ever.")
@click.option("--time-zone", metavar="ZONE", help="In which the pattern is meant: Europe/Berlin. [default UTC]")
@click.option("--catch-up", type=_POLICY, help="What becomes of missed times. [default one]")
@click.option("--overlap", type=_POLICY, help="While the execution before is not over. [default all]")
@SCOPE
@at_server
def create_cron(
    server: Server,
    name: str,
    workflow: str,
    pattern: str | None,
    input: tuple[str, ...],
    params: tuple[str, ...],
    at: str | None,
    count: int | None,
    time_zone: str | None,
    catch_up: str | None,
    overlap: str | None,
    scope: str | None,
) -> None:
    """Start a WORKFLOW (name or id) by the clock.

    Example: ostro cron-trigger create nightly backup --pattern "0 3 * * *" --time-zone Europe/Berlin -i full=true
    """
    from ostro.sdk import InvalidRequest

    try:
        made = server.client.cron_triggers.create(
            name,
            workflow,
            pattern,
            input=read_values("--input", input),
            params=read_values("--params", params),
            first_time=None if at is None else _moment(at),
            count=count,
            time_zone=time_zone,
            catch_up=catch_up,
            overlap=overlap,
            scope=scope,
        )
    except InvalidRequest as error:
        error.hint = error.hint or (_PATTERNS if pattern and pattern in error.message else "")
        raise
    server.out.result(made, f"Created: {made.name}, starts at {time_text(made.next_execution_time)} UTC.")


def _moment(text: str) -> datetime:
    from ostro.model.errors import InvalidInput

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--at {text}: write a time such as 2026-01-31T23:59.") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@cron_trigger.command("delete")
@_NAMES
@YES
@at_server
def delete_cron(server: Server, names: tuple[str, ...], yes: bool) -> None:
    """Delete cron triggers; what they started goes on.

    Example: ostro cron-trigger delete nightly --yes
    """
    found = [server.find(server.client.cron_triggers, name) for name in names]
    shown = ", ".join(one.name for one in found)
    if confirmed(f"Delete {shown}?", yes=yes):
        for one in found:
            server.client.cron_triggers.delete(one.id)
        server.out.result(found, f"Deleted: {shown}.")


@cron_trigger.command("next")
@_NAME
@click.option("--count", type=click.IntRange(1, 100), default=5, show_default=True, help="How many times.")
@at_server
def next_cron(server: Server, name: str, count: int) -> None:
    """Print when a cron trigger fires next (UTC).

    Example: ostro cron-trigger next nightly --count 3
    """
    found = server.client.cron_triggers.next(name, count=count)
    if not server.out.is_for_people:
        server.out.one(found)
    else:
        for moment in found.times:
            print(time_text(moment))


@click.group("event-trigger")
def event_trigger() -> None:
    """Workflows started by events: `ostro event-trigger create WORKFLOW_ID --exchange X --topic T --event E`."""


@event_trigger.command("list")
@WHERE
@SORT
@LIMIT
@at_server
def list_event(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List event triggers.

    Example: ostro event-trigger list --where topic=orders
    """
    found = server.client.event_triggers.list(limit=limit + 1, sort=sort or "created_at", **filters_of(where))
    columns = ("id", "name", "exchange", "topic", "event", "workflow_id", "failures", "last_error")
    server.out.rows(found, columns, limit=limit)


@event_trigger.command("show")
@click.argument("id")
@at_server
def show_event(server: Server, id: str) -> None:
    """Print an event trigger.

    Example: ostro event-trigger show ID
    """
    server.out.one(server.client.event_triggers.get(id))


@event_trigger.command("create")
@click.argument("workflow")
@click.option("--exchange", required=True, metavar="NAME", help="Where the event comes from.")
@click.option("--topic", required=True, metavar="NAME", help="Its topic there.")
@click.option("--event", required=True, metavar="TYPE", help="Its type.")
@click.option("--name", metavar="NAME", help="Of the trigger.")
@INPUT
@_PARAMS
@SCOPE
@at_server
def create_event(
    server: Server,
    workflow: str,
    exchange: str,
    topic: str,
    event: str,
    name: str | None,
    input: tuple[str, ...],
    params: tuple[str, ...],
    scope: str | None,
) -> None:
    """Start a WORKFLOW (name or id) for events. Expressions in the input see the event.

    Example: ostro event-trigger create ship --exchange shop --topic orders --event paid
    """
    id = server.find(server.client.workflows, workflow).id
    made = server.client.event_triggers.create(
        id,
        exchange=exchange,
        topic=topic,
        event=event,
        name=name,
        input=read_values("--input", input),
        params=read_values("--params", params),
        scope=scope,
    )
    server.out.result(made, f"Created: {made.id}.")


@event_trigger.command("update")
@click.argument("id")
@click.option("--name", metavar="NAME", help="Of the trigger.")
@click.option("--workflow", metavar="NAME", help="Another workflow, by name or id.")
@INPUT
@_PARAMS
@SCOPE
@at_server
def update_event(
    server: Server,
    id: str,
    name: str | None,
    workflow: str | None,
    input: tuple[str, ...],
    params: tuple[str, ...],
    scope: str | None,
) -> None:
    """Change an event trigger; what is not given stays.

    Example: ostro event-trigger update ID --workflow ship-fast
    """
    made = server.client.event_triggers.update(
        id,
        name=name,
        workflow_id=None if workflow is None else server.find(server.client.workflows, workflow).id,
        input=read_values("--input", input) if input else None,
        params=read_values("--params", params) if params else None,
        scope=scope,
    )
    server.out.result(made, f"Updated: {made.id}.")


@event_trigger.command("delete")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@YES
@at_server
def delete_event(server: Server, ids: tuple[str, ...], yes: bool) -> None:
    """Delete event triggers.

    Example: ostro event-trigger delete ID --yes
    """
    found = [server.client.event_triggers.get(id) for id in ids]
    shown = ", ".join(one.name or one.id for one in found)
    if confirmed(f"Delete {shown}?", yes=yes):
        for one in found:
            server.client.event_triggers.delete(one.id)
        server.out.result(found, f"Deleted: {shown}.")


@event_trigger.command("send")
@click.argument("exchange")
@click.argument("topic")
@click.argument("event")
@INPUT
@click.option("--id", metavar="ID", help="Of the event: a repeat with the same id starts nothing again.")
@at_server
def send(server: Server, exchange: str, topic: str, event: str, input: tuple[str, ...], id: str | None) -> None:
    """Tell the server of an event whose payload is the input, and print the executions that it starts.

    Example: ostro event-trigger send shop orders paid -i id=7
    """
    started = server.client.event_triggers.send(exchange, topic, event, read_values("--input", input), id=id)
    if server.out.is_for_people:
        for execution in started:
            print(execution)
    else:
        server.out.data({"executions": started})
