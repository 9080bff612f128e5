"""`ostro context`: servers by name, and who one is there."""

import os
import sys

import click

from ostro.cli import contexts
from ostro.cli.output import Output, note
from ostro.cli.server import Server, at_server, trust, work
from ostro.model.errors import InvalidInput

_NAME = click.argument("name")


@click.group()
def context() -> None:
    """Servers by name, with the token for each: `ostro context add prod --url https://ostro.example.com`."""


@context.command()
@_NAME
@click.option("--url", required=True, metavar="URL", help="The server's address.")
@click.option("--token-file", metavar="FILE", help="File with the token; without it the token is asked for.")
@click.option("--no-token", is_flag=True, help="The server needs none.")
@click.option("--ca-file", metavar="FILE", help="Certificates (PEM) to trust, for a server with one of its own.")
def add(name: str, url: str, token_file: str | None, no_token: bool, ca_file: str | None) -> None:
    """Add a server, or change it, and use it from now on. The token is asked for, or read from standard input.

    Example: ostro context add prod --url https://ostro.example.com
    """

    def todo() -> None:
        if not name.strip() or not name.isprintable():
            raise InvalidInput(f"{name!r} cannot be the name of a context.")
        authority = os.path.abspath(ca_file) if ca_file else ""
        added = contexts.Context(url, _token(token_file, no_token), authority)
        who = _check(added)
        file = contexts.place(os.environ)
        known = contexts.load(file).with_one(name, added)
        contexts.save(file, contexts.Contexts(name, known.by_name))
        print(f"{name} is in use: {url}{who}")

    sys.exit(work(todo))


def _token(token_file: str | None, no_token: bool) -> str:
    if no_token:
        return ""
    if token_file:
        return contexts.read_token(token_file)
    if sys.stdin.isatty():
        asked: str = click.prompt("Token (empty: none)", default="", show_default=False, hide_input=True, err=True)
        return asked.strip()
    return sys.stdin.read().strip()


def _check(added: contexts.Context) -> str:
    """Ask the server who that is. A server that does not answer now is no reason not to keep it; a token that it
    refuses is. Raises Unauthenticated."""
    from ostro.sdk import Client, NotFound, Unauthenticated, Unreachable

    try:
        with Client(added.url, added.token, retries=0, verify=trust(added.ca_file)) as client:
            session = client.session()
    except Unreachable:
        note(f"{added.url} does not answer now; the context is kept.")
        return ""
    except NotFound:
        note(f"{added.url} does not say who its callers are; is it an older Ostro?")
        return ""
    if added.token and not session.is_authenticated:
        raise Unauthenticated("The server does not know this token.")
    return f", as {session.user_id} of project {session.project_id}" if session.user_id else ""


@context.command()
@_NAME
def use(name: str) -> None:
    """Use that server from now on.

    Example: ostro context use prod
    """

    def todo() -> None:
        file = contexts.place(os.environ)
        known = contexts.load(file)
        chosen = known.get(name)
        contexts.save(file, contexts.Contexts(name, known.by_name))
        print(f"{name} is in use: {chosen.url}")

    sys.exit(work(todo))


@context.command("list")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--yaml", "form", flag_value="yaml", help="Print YAML.")
def list_all(form: str | None) -> None:
    """List the servers; never their tokens.

    Example: ostro context list
    """

    def todo() -> None:
        known = contexts.load(contexts.place(os.environ))
        rows = [
            {
                "name": name,
                "in use": "yes" if name == known.current else "",
                "url": one.url,
                "token": "yes" if one.token else "",
                "ca file": one.ca_file,
            }
            for name, one in sorted(known.by_name.items())
        ]
        Output(form or "table").maps(rows)

    sys.exit(work(todo))


@context.command()
@_NAME
def remove(name: str) -> None:
    """Forget a server and its token.

    Example: ostro context remove prod
    """

    def todo() -> None:
        file = contexts.place(os.environ)
        contexts.save(file, contexts.load(file).without(name))
        print(f"{name} is removed.")

    sys.exit(work(todo))


@context.command()
@at_server
def whoami(server: Server) -> None:
    """Print whom the server takes you for, and what you may do there.

    Example: ostro context whoami
    """
    session = server.client.session()
    if not server.out.is_for_people:
        server.out.one(session)
    elif not session.is_authenticated:
        print(f"Nobody, at {server.target.url}: it asks for a token ({session.auth}).")
    else:
        roles = f" with roles {', '.join(session.roles)}" if session.roles else ""
        who = session.user_id or "Everybody (there is no authentication)"
        print(f"{who} of project {session.project_id}{roles}, at {server.target.url}")
