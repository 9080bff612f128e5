"""What commands at a server share: which server, as whom, in which form to print, and what to say when it fails."""

import difflib
import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ostro.cli.failures import report
from ostro.cli.output import Output
from ostro.model.errors import OstroError

if TYPE_CHECKING:
    from ostro.cli.contexts import Target
    from ostro.sdk import Client

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--url", metavar="URL", help="The server. [env OSTRO_URL; else the context's]"),
    click.option("--context", metavar="NAME", help="A server of `ostro context`. [env OSTRO_CONTEXT]"),
    click.option("--token-file", metavar="FILE", help="File with the token. [env OSTRO_TOKEN: the token itself]"),
    click.option("--json", "form", flag_value="json", help="Print JSON."),
    click.option("--yaml", "form", flag_value="yaml", help="Print YAML."),
)
_SUGGESTED = 1000  # names that are looked through for one that is alike


class Server:
    """A server for the length of a command. `client` connects when it is used first."""

    def __init__(self, url: str | None, context: str | None, token_file: str | None, form: str | None) -> None:
        self._named = {"url": url, "context": context, "token_file": token_file}
        self.out = Output(form or "table")
        self.status = 0

    @functools.cached_property
    def target(self) -> "Target":
        from ostro.cli.contexts import target

        return target(os.environ, **self._named)

    @functools.cached_property
    def client(self) -> "Client":
        """Raises InvalidInput for an address or a context that cannot be used."""
        from ostro.model.errors import InvalidInput
        from ostro.sdk import Client, InvalidRequest

        try:
            return Client(self.target.url, self.target.token, retries=2, verify=trust(self.target.ca_file))
        except InvalidRequest as error:
            raise InvalidInput(error.message) from None

    def is_local(self, *named: str | None) -> bool:
        """Whether to work in this machine's database: it, or something for it, is named, or no server is."""
        return any(named) or not self.target.is_named

    def find(self, collection: Any, name: str, **options: Any) -> Any:
        """One of a collection by name. NotFound has a hint at names that are alike."""
        from ostro.sdk import NotFound

        try:
            return collection.get(name, **options)
        except NotFound as error:
            error.hint = self.alike(collection, name) or error.hint
            raise

    def alike(self, collection: Any, name: str) -> str:
        """A question that names what is called nearly so; "" if there is none, or one of just that name."""
        try:
            known = [one.name for one in collection.list(limit=_SUGGESTED)]
        except OstroError:
            return ""
        alike = [] if name in known else difflib.get_close_matches(name, known, n=3)
        return f"Did you mean {' or '.join(alike)}?" if alike else ""


def trust(ca_file: str) -> Any:
    """What a client verifies servers by. Raises InvalidInput."""
    if not ca_file:
        return True
    import ssl

    from ostro.model.errors import InvalidInput

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"{ca_file}: {getattr(error, 'strerror', None) or error}") from None


def at_server(command: Command) -> Command:
    """The options of a server and of the output; the command gets them as its first argument, a `Server`. What goes
    wrong is told, and is the exit status."""

    @functools.wraps(command)
    def run(url: str | None, context: str | None, token_file: str | None, form: str | None, **options: Any) -> None:
        server = Server(url, context, token_file, form)
        sys.exit(work(lambda: command(server, **options), server) or server.status)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run  # type: ignore[return-value]


def work(todo: Callable[[], Any], server: Server | None = None) -> int:
    """Do it; 0, or the exit status of what went wrong, which is told."""
    try:
        todo()
        sys.stdout.flush()
    except OstroError as error:
        if server is None or "target" not in server.__dict__:
            return report(error)
        return report(error, server.target.url, lambda: server.client.session())
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether to go on. Raises InvalidInput where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        from ostro.model.errors import InvalidInput

        raise InvalidInput(f"{question} Nobody can be asked here: add --yes.")
    return click.confirm(question, err=True)


def read_text(file: str) -> str:
    """A file's text; `-` is standard input. Raises InvalidInput."""
    from pathlib import Path

    from ostro.model.errors import InvalidInput

    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: {getattr(error, 'strerror', None) or error}") from None


YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
INPUT = click.option(
    "--input",
    "-i",
    multiple=True,
    metavar="KEY=VALUE",
    help="A value is JSON or else a text. Also a JSON object, or a file.",
)
ENV = click.option("--env", "-e", multiple=True, metavar="KEY=VALUE", help="Environment, given as input is.")
NAMESPACE = click.option("--namespace", metavar="NAME", help="Namespace of the definition.")
LIMIT = click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Rows at most.")
SORT = click.option("--sort", metavar="FIELD", help="Sort by a field; -FIELD: the largest first.")
WHERE = click.option(
    "--where",
    "-w",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A filter of the API: name=has:deploy.",
)
SCOPE = click.option("--scope", type=click.Choice(["private", "public"]), help="Who sees it (public: administrators).")


def filters_of(where: tuple[str, ...]) -> dict[str, str]:
    """`--where` as query fields. Raises InvalidInput."""
    from ostro.model.errors import InvalidInput

    found = {}
    for item in where:
        name, equals, value = item.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InvalidInput(f"--where {item}: write FIELD=VALUE, such as name=has:deploy.")
        found[name.strip()] = value
    return found
