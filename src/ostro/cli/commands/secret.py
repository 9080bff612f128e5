"""`ostro secret`: at a server if one is named, else in the database of this machine."""

import sys

import click

from ostro.cli.options import CONFIG, DATABASE
from ostro.cli.server import YES, Server, at_server, confirmed, work
from ostro.config import load
from ostro.model.commands import DEFAULT_PROJECT
from ostro.model.errors import InvalidInput

_PROJECT = click.option(
    "--project",
    metavar="NAME",
    help="Project of the secret, in this machine's database. [default <default-project>]",
)
_KEYS = click.option("--secret-key-file", metavar="FILE", help="File with the keys. [env OSTRO_SECRET_KEY_FILE]")


@click.group()
def secret() -> None:
    """Secrets for actions, `<% secret(name) %>` in their input: `ostro secret set smtp_password`.

    Commands work at the server that --url, --context or a context in use names; else, or with --database, in the
    database of this machine, which needs the key (`ostro secret key`).
    """


def _refuse_project(project: str | None) -> None:
    if project is not None:
        raise InvalidInput("--project is for the database of this machine; at a server the token says the project.")


@secret.command("set")
@click.argument("name")
@_PROJECT
@_KEYS
@DATABASE
@CONFIG
@at_server
def set_one(
    server: Server,
    name: str,
    project: str | None,
    secret_key_file: str | None,
    database: str | None,
    config: str | None,
) -> None:
    """Store a secret, or change it. The value is asked for, or read from standard input; it is never an argument.

    Example: ostro secret set smtp_password < password.txt
    """
    is_local = server.is_local(database, config, secret_key_file)
    if not is_local:
        _refuse_project(project)
    if sys.stdin.isatty():
        value = click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    if is_local:
        from ostro.cli.secret import set_one as set_here

        settings = load({"database": database, "secret_key_file": secret_key_file}, config=config)
        print(set_here(settings, name, value, project or DEFAULT_PROJECT))
    else:
        server.out.result(server.client.secrets.set(name, value), f"The secret '{name}' is stored.")


@secret.command("list")
@_PROJECT
@DATABASE
@CONFIG
@at_server
def list_all(server: Server, project: str | None, database: str | None, config: str | None) -> None:
    """List names of secrets; in this machine's database also the key that each is sealed by. Never values.

    Example: ostro secret list
    """
    if server.is_local(database, config):
        from ostro.cli.secret import list_all as list_here

        server.out.maps(list_here(load({"database": database}, config=config), project))
        return
    _refuse_project(project)
    server.out.rows(server.client.secrets.list(), ("name", "created_at", "updated_at"))


@secret.command()
@click.argument("name")
@_PROJECT
@DATABASE
@CONFIG
@YES
@at_server
def delete(server: Server, name: str, project: str | None, database: str | None, config: str | None, yes: bool) -> None:
    """Delete a secret.

    Example: ostro secret delete smtp_password --yes
    """
    is_local = server.is_local(database, config)
    if not is_local:
        _refuse_project(project)
    if not confirmed(f"Delete the secret '{name}'?", yes=yes):
        return
    if is_local:
        from ostro.cli.secret import delete as delete_here

        print(delete_here(load({"database": database}, config=config), name, project or DEFAULT_PROJECT))
    else:
        server.client.secrets.delete(name)
        server.out.result({"name": name}, f"The secret '{name}' is deleted.")


@secret.command()
@_KEYS
@DATABASE
@CONFIG
def rotate(secret_key_file: str | None, database: str | None, config: str | None) -> None:
    """Seal all secrets of this machine's database anew by the first key.

    Example: ostro secret rotate --secret-key-file /etc/ostro/secret.keys
    """
    from ostro.cli.secret import rotate as rotate_here

    options = {"database": database, "secret_key_file": secret_key_file}
    sys.exit(work(lambda: print(rotate_here(load(options, config=config)))))


@secret.command("key")
def make_key() -> None:
    """Print a new key for secrets.

    Example: ostro secret key > secret.keys
    """
    from ostro.adapters.vault import new_key

    print(new_key())
