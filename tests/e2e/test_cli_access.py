"""The command line where people have to say who they are: contexts, tokens, secrets, sharing, uploaded code."""

import re
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ostro.cli.token import create as make_token
from ostro.config import load
from tests.e2e.command_line import CommandLine
from tests.e2e.server import Server

FLOW = "version: '2.0'\nflow:\n  tasks:\n    a: {action: std.noop}\n"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("server")
    settings = load({"database": str(folder / "ostro.sqlite3")}, {"HOME": str(folder)})
    made = {
        project: make_token(settings, project=project, user="ann", roles=roles, expires="1h", description="")[0]
        for project, roles in (("shop", ()), ("ops", ("admin",)))
    }
    return made | {"folder": str(folder)}


@pytest.fixture(scope="module")
def server(tokens: dict[str, str]) -> Iterator[Server]:
    from ostro.adapters.vault import new_key

    folder = Path(tokens["folder"])
    (folder / "keys").write_text(new_key())
    with Server(folder, "--auth", "token", "--secret-key-file", str(folder / "keys"), "--code-sources") as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def admin(tmp_path: Path, server: Server, tokens: dict[str, str]) -> CommandLine:
    return CommandLine(tmp_path, OSTRO_URL=server.url, OSTRO_TOKEN=tokens["ops"])


def test_contexts_name_servers_and_keep_tokens(cli: CommandLine, server: Server, tokens: dict[str, str]) -> None:
    added = cli.good("context", "add", "shop", "--url", server.url, input=tokens["shop"])
    assert added.out == f"shop is in use: {server.url}, as ann of project shop\n"
    (cli.folder / "token").write_text(tokens["ops"] + "\n")
    cli.good("context", "add", "ops", "--url", server.url, "--token-file", "token")
    file = cli.folder / ".config" / "ostro" / "contexts.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listed = cli.good("context", "list")
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [["ops", "yes"], ["shop", server.url]]
    assert not [token for token in tokens.values() if token.startswith("ostro_") and token in listed.out]
    assert "project ops with roles admin" in cli.good("context", "whoami").out
    assert "project shop" in cli.good("context", "whoami", "--context", "shop").out
    cli.good("context", "use", "shop")
    assert "project shop" in cli.good("context", "whoami").out
    assert cli("context", "whoami", OSTRO_CONTEXT="ops").out.startswith("ann of project ops")
    assert cli("context", "use", "shpo").status == 2
    cli.good("context", "remove", "shop")
    assert cli("workflow", "list", "--context", "shop").status == 2
    file.chmod(0o644)
    assert "chmod 600" in cli("context", "list").err


def test_a_contexts_token_goes_to_no_other_address(cli: CommandLine, server: Server, tokens: dict[str, str]) -> None:
    cli.good("context", "add", "shop", "--url", server.url, input=tokens["shop"])
    elsewhere = cli("workflow", "list", "--url", server.url.replace("127.0.0.1", "localhost"))
    assert elsewhere.status == 6


def test_without_a_token_it_is_told_how_to_log_in(cli: CommandLine, server: Server) -> None:
    refused = cli("workflow", "list", "--url", server.url)
    assert refused.status == 6
    assert f"ostro context add NAME --url {server.url}" in refused.err
    assert "asks for a token" in cli.good("context", "whoami", "--url", server.url).out
    wrong = cli("context", "add", "me", "--url", server.url, input="ostro_wrong_token")
    assert wrong.status == 6
    assert cli.good("context", "list").out == "", "what is refused is not kept"


def test_tokens_are_made_at_the_server(admin: CommandLine, server: Server) -> None:
    made = admin.good("token", "create", "--project", "late", "--user", "bob", "--expires", "1h")
    token = made.out.strip()
    assert token.startswith("ostro_") and token not in made.err
    assert "bob" in admin("context", "whoami", OSTRO_TOKEN=token).out
    [row] = [one for one in admin.good("token", "list", "--json").json if one["project_id"] == "late"]
    assert admin("token", "revoke", row["id"]).status == 2, "nobody can be asked"
    admin.good("token", "revoke", row["id"], "--yes")
    [row] = [one for one in admin.good("token", "list", "--json").json if one["project_id"] == "late"]
    assert (row["state"], row["token"]) == ("revoked", None)
    assert admin("token", "list", OSTRO_TOKEN="").status == 6


def test_a_token_lives_for_90_days_and_it_is_told_how_to_use_it(cli: CommandLine, admin: CommandLine) -> None:
    for make in (lambda *more: admin.good(*more), lambda *more: cli.good(*more, "--database", "here.sqlite3")):
        made = make("token", "create", "--project", "shop")
        assert "OSTRO_TOKEN" in made.err and "ostro context add" in made.err and "X-Auth-Token" in made.err
        told = re.search(r"expires at (\S+)", made.err)
        assert told is not None
        assert date.fromisoformat(told[1]) - datetime.now(UTC).date() in (timedelta(90), timedelta(89))


def test_who_may_not_is_told_who_he_is(admin: CommandLine, tokens: dict[str, str]) -> None:
    refused = admin("token", "list", OSTRO_TOKEN=tokens["shop"])
    assert refused.status == 6
    assert "ann of project shop without roles" in refused.err and "admin" in refused.err


def test_tokens_of_this_machine_need_no_server(cli: CommandLine) -> None:
    database = ("--database", "here.sqlite3")
    token = cli.good("token", "create", "--project", "shop", *database).out.strip()
    assert cli.good("token", "create", "--project", "shop", "--json", *database).json["token"].startswith("ostro_")
    assert "shop" in cli.good("token", "list", *database).out
    cli.good("token", "revoke", token.split("_")[1], "--yes", *database)


def test_secrets_go_in_and_never_come_out(admin: CommandLine, tokens: dict[str, str]) -> None:
    assert admin.good("secret", "set", "smtp", input="hidden value\n").out == "The secret 'smtp' is stored.\n"
    listed = admin.good("secret", "list")
    assert "smtp" in listed.out and "hidden" not in listed.out
    assert "smtp" not in admin("secret", "list", OSTRO_TOKEN=tokens["shop"]).out
    assert admin("secret", "list", "--project", "shop").status == 2
    admin.good("secret", "delete", "smtp", "--yes")
    assert admin.good("secret", "list").out == ""


def test_a_workflow_is_shared(admin: CommandLine, tokens: dict[str, str]) -> None:
    (admin.folder / "flow.yaml").write_text(FLOW)
    admin.good("workflow", "create", "flow.yaml")
    id = admin.good("workflow", "show", "flow", "--json").json["id"]
    admin.good("member", "add", "flow", "shop")
    assert admin("member", "accept", id, "shop", OSTRO_TOKEN=tokens["shop"]).out == "Accepted.\n"
    assert "accepted" in admin.good("member", "list", "flow").out
    assert admin("workflow", "show", id, OSTRO_TOKEN=tokens["shop"]).status == 0
    assert admin("member", "reject", id, "shop", OSTRO_TOKEN=tokens["shop"]).status == 0
    admin.good("member", "remove", "flow", "shop", "--yes")
    assert admin.good("member", "list", "flow").out == ""
    assert "members:create" in admin.good("audit", "-w", "project_id=ops").out


def test_uploaded_code(admin: CommandLine) -> None:
    text = (
        "class Greet:\n    def __init__(self, name):\n        self.name = name\n"
        "    def run(self):\n        return 'Hi ' + self.name\n"
    )
    (admin.folder / "mine.py").write_text(text)
    admin.good("code-source", "create", "mine", "mine.py")
    admin.good("code-source", "update", "mine", "mine.py")
    assert admin.good("code-source", "show", "mine").out == text
    assert "mine" in admin.good("code-source", "list").out
    admin.good("dynamic-action", "create", "greet", "Greet", "mine")
    admin.good("dynamic-action", "update", "greet", "--class", "Greet")
    assert "greet" in admin.good("dynamic-action", "list").out
    assert admin.good("dynamic-action", "show", "greet", "--json").json["class_name"] == "Greet"
    assert admin.good("action", "run", "greet", "-i", "name=Ada").out == "Hi Ada\n"
    admin.good("dynamic-action", "delete", "greet", "--yes")
    admin.good("code-source", "delete", "mine", "--yes")


def test_maintenance(admin: CommandLine) -> None:
    assert admin.good("maintenance", "pause").out in ("PAUSED\n", "PAUSING\n")
    (admin.folder / "flow.yaml").write_text(FLOW.replace("flow:", "late:"))
    refused = admin("workflow", "create", "flow.yaml")
    assert (refused.status, "maintenance" in refused.err.lower()) == (1, True)
    assert admin.good("maintenance", "resume").out == "RUNNING\n"
