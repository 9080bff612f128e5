"""`ostro environment`: named variables for executions."""

import click

from ostro.cli.server import ENV, LIMIT, SCOPE, SORT, WHERE, YES, Server, at_server, confirmed, filters_of
from ostro.cli.values import read_values

_NAME = click.argument("name")
_DESCRIPTION = click.option("--description", metavar="TEXT", help="What it is for.")


@click.group()
def environment() -> None:
    """Named variables for executions: `ostro environment create test -e host=t1.example.com`."""


@environment.command("list")
@WHERE
@SORT
@LIMIT
@at_server
def list_all(server: Server, where: tuple[str, ...], sort: str | None, limit: int) -> None:
    """List environments.

    Example: ostro environment list
    """
    found = server.client.environments.list(limit=limit + 1, sort=sort or "name", **filters_of(where))
    columns = (
        "name",
        "description",
        ("variables", lambda one: list(one.variables)),
        "scope",
        "updated_at",
        "created_at",
    )
    server.out.rows(found, columns, limit=limit)


@environment.command()
@_NAME
@at_server
def show(server: Server, name: str) -> None:
    """Print an environment.

    Example: ostro environment show test --yaml
    """
    server.out.one(server.find(server.client.environments, name))


@environment.command()
@_NAME
@ENV
@_DESCRIPTION
@SCOPE
@at_server
def create(server: Server, name: str, env: tuple[str, ...], description: str | None, scope: str | None) -> None:
    """Store an environment.

    Example: ostro environment create test -e host=t1.example.com -e 'ports=[80, 443]'
    """
    made = server.client.environments.create(name, read_values("--env", env), description=description, scope=scope)
    server.out.result(made, f"Created: {made.name}.")


@environment.command()
@_NAME
@ENV
@click.option("--replace", is_flag=True, help="Without it the other variables stay.")
@_DESCRIPTION
@SCOPE
@at_server
def update(
    server: Server, name: str, env: tuple[str, ...], replace: bool, description: str | None, scope: str | None
) -> None:
    """Change variables of an environment; the others stay.

    Example: ostro environment update test -e host=t2.example.com
    """
    values = read_values("--env", env)
    if not replace:
        values = {**server.find(server.client.environments, name).variables, **values}
    variables = values if env or replace else None
    made = server.client.environments.update(name, variables, description=description, scope=scope)
    server.out.result(made, f"Updated: {made.name}.")


@environment.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@YES
@at_server
def delete(server: Server, names: tuple[str, ...], yes: bool) -> None:
    """Delete environments.

    Example: ostro environment delete test --yes
    """
    found = [server.find(server.client.environments, name) for name in names]
    shown = ", ".join(one.name for one in found)
    if confirmed(f"Delete {shown}?", yes=yes):
        for one in found:
            server.client.environments.delete(one.name)
        server.out.result(found, f"Deleted: {shown}.")
