"""`ostro token`: at a server if one is named, else in the database of this machine."""

from typing import Any

import click

from ostro.cli.options import CONFIG, DATABASE
from ostro.cli.output import note, time_text
from ostro.cli.server import YES, Server, at_server, confirmed
from ostro.config import load
from ostro.model.lifetimes import TOKEN_LIFE

_USE = "Use it as OSTRO_TOKEN, with `ostro context add NAME --url URL`, or in the header X-Auth-Token of requests."


@click.group()
def token() -> None:
    """API tokens for `ostro serve --auth token`: `ostro token create --project shop --user build`.

    Commands work at the server that --url, --context or a context in use names; else, or with --database, in the
    database of this machine.
    """


@token.command()
@click.option("--project", required=True, metavar="NAME", help="Project that the token's owner works in.")
@click.option("--user", default="api", show_default=True, metavar="NAME", help="Name of the token's owner.")
@click.option("--role", "roles", multiple=True, metavar="NAME", help="A role; `admin` sees and changes all projects.")
@click.option("--expires", default=TOKEN_LIFE, show_default=True, metavar="TIME", help="90d, 12h, 30m, 1y or never.")
@click.option("--description", default="", metavar="TEXT", help="What the token is for.")
@DATABASE
@CONFIG
@at_server
def create(
    server: Server,
    project: str,
    user: str,
    roles: tuple[str, ...],
    expires: str,
    description: str,
    database: str | None,
    config: str | None,
) -> None:
    """Make a token and print it, alone on standard output. It cannot be shown again.

    It is used as OSTRO_TOKEN (environment), in a context (`ostro context add`) or as the header X-Auth-Token.

    Example: ostro token create --project shop --user build --expires 30d
    """
    if server.is_local(database, config):
        from ostro.cli.token import create as create_here

        text, known = create_here(
            load({"database": database}, config=config),
            project=project,
            user=user,
            roles=roles,
            expires=expires,
            description=description,
        )
        made: Any = known | {"token": text}
        id, end = known["id"], known["expires"]
    else:
        made = server.client.tokens.create(project, user=user, roles=roles, expires=expires, description=description)
        text, id = made.token or "", made.id
        end = "never" if made.expires_at is None else time_text(made.expires_at)
    if not server.out.is_for_people:
        server.out.one(made)
        return
    ends = "never expires" if end == "never" else f"expires at {end} UTC"
    note(f"Token {id} for user {user} in project {project} {ends}. It cannot be shown again.")
    note(_USE)
    print(text)


@token.command("list")
@DATABASE
@CONFIG
@at_server
def list_all(server: Server, database: str | None, config: str | None) -> None:
    """List all tokens: who they are for and whether they are still good, not the tokens themselves.

    Example: ostro token list --json
    """
    if server.is_local(database, config):
        from ostro.cli.token import list_all as list_here

        server.out.maps(list_here(load({"database": database}, config=config)))
        return
    columns = (
        "id", ("project", lambda one: one.project_id), ("user", lambda one: one.user_id), "roles", "state",
        ("expires", lambda one: one.expires_at or "never"), ("created", lambda one: one.created_at), "description",
    )  # fmt: skip
    server.out.rows(server.client.tokens.list(), columns)


@token.command()
@click.argument("id")
@DATABASE
@CONFIG
@YES
@at_server
def revoke(server: Server, id: str, database: str | None, config: str | None, yes: bool) -> None:
    """Revoke the token with that id.

    Example: ostro token revoke ID --yes
    """
    if not confirmed(f"Revoke the token {id}?", yes=yes):
        return
    if server.is_local(database, config):
        from ostro.cli.token import revoke as revoke_here

        print(revoke_here(load({"database": database}, config=config), id))
        return
    server.client.tokens.revoke(id)
    server.out.result({"id": id, "state": "revoked"}, f"Token {id} is revoked.")
