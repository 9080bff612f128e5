"""Every command of python-mistralclient against a real server, in every mode of authentication.

`TABLE` has a row for each command: the command lines (the last one is the row's own; those before make what it
needs) and a text that its answer must hold. What a mode answers otherwise is in `OTHERWISE`.
"""

import contextlib
import io
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ostro.cli.token import create
from ostro.config import load
from tests.compat.test_library import PATIENCE, wait_for
from tests.e2e.server import Server
from tests.unit.identity.services import Issuer

# The command opens files that it does not close, and imports what is going away.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")]

FORBIDDEN = "Operation forbidden (insufficient permissions)"
NO_SHARING = "Resource sharing feature can only be supported with authentication enabled."


class Mode(NamedTuple):
    """`auth`: the server's. `roles`: the caller's."""

    name: str
    auth: str
    roles: tuple[str, ...] = ()


MODES = (
    Mode("none", "none"),
    Mode("token-user", "token"),
    Mode("token-admin", "token", ("admin",)),
    Mode("oidc-user", "oidc", ("member",)),
    Mode("oidc-admin", "oidc", ("member", "admin")),
)

FILES = {
    "wf": (
        "version: '2.0'\nwf_{n}:\n  input: [x: 1]\n"
        "  tasks: {{t: {{action: std.echo output=<% $.x %>, publish: {{p: 1}}}}}}\n"
    ),
    "wait": "version: '2.0'\nwait_{n}:\n  tasks: {{t: {{action: std.async_noop}}}}\n",
    "fail": "version: '2.0'\nfail_{n}:\n  tasks: {{t: {{action: std.fail}}}}\n",
    "book": "version: '2.0'\nname: book_{n}\nworkflows: {{w: {{tasks: {{t: {{action: std.noop}}}}}}}}\n",
    "action": "version: '2.0'\naction_{n}: {{input: [x], base: std.echo output=<% $.x %>}}\n",
    "env": '{{"name": "env_{n}", "description": "d", "variables": {{"a": 1}}}}',
    "code": (
        "from mistral_lib import actions\n\n\nclass Hello(actions.Action):\n"
        "    def run(self, context):\n        return 'hello'\n"
    ),
}

_WF = "workflow-create {file:wf}"
_ENV = "environment-create {file:env}"
_BOOK = "workbook-create {file:book}"
_ACTION = "action-create {file:action}"
_RUN = f"{_WF} | execution-create wf_{{n}}"
_WAIT = "workflow-create {file:wait} | execution-create wait_{n}"
_CODE = "code-source-create code_{n} {file:code}"
_DYNAMIC = f"{_CODE} | dynamic-action-create dyn_{{n}} Hello code_{{n}}"
_CRON = _WF + " | cron-trigger-create cron_{n} wf_{n} --pattern '0 3 1 1 *' --utc"
_EVENT = _WF + " | event-trigger-create event_{n} {workflow} exchange topic event"
_MEMBER = _WF + " | member-create {workflow} workflow elsewhere"

TABLE: dict[str, tuple[str, str]] = {
    "action-create": (_ACTION, "action_{n}"),
    "action-delete": (
        f"{_ACTION} | action-delete action_{{n}}",
        "Request to delete action action_{n} has been accepted",
    ),
    "action-execution-delete": ("run-action std.noop -s | action-execution-delete {action}", "has been accepted"),
    "action-execution-get": (f"{_RUN} | action-execution-get {{action}}", "std.echo"),
    "action-execution-get-input": (f"{_RUN} | action-execution-get-input {{action}}", '"output": 1'),
    "action-execution-get-output": (f"{_RUN} | action-execution-get-output {{action}}", '"result": 1'),
    "action-execution-list": (f"{_RUN} | action-execution-list {{task}}", "std.echo"),
    "action-execution-update": (f"{_WAIT} | action-execution-update {{action}} --state SUCCESS", "SUCCESS"),
    "action-get": ("action-get std.echo", "std.echo"),
    "action-get-definition": (f"{_ACTION} | action-get-definition action_{{n}}", "action_{n}"),
    "action-list": ("action-list", "std.http"),
    "action-update": (f"{_ACTION} | action-update {{file:action}}", "action_{n}"),
    "action-validate": ("action-validate {file:action}", "true"),
    "code-source-create": (_CODE, "code_{n}"),
    "code-source-delete": (f"{_CODE} | code-source-delete code_{{n}}", "has been accepted"),
    "code-source-get": (f"{_CODE} | code-source-get code_{{n}}", "code_{n}"),
    "code-source-get-content": (f"{_CODE} | code-source-get-content code_{{n}}", "class Hello"),
    "code-source-list": (f"{_CODE} | code-source-list", "code_{n}"),
    "code-source-update": (f"{_CODE} | code-source-update code_{{n}} {{file:code}}", "code_{n}"),
    "cron-trigger-create": (_CRON, "cron_{n}"),
    "cron-trigger-delete": (f"{_CRON} | cron-trigger-delete cron_{{n}}", "has been accepted"),
    "cron-trigger-get": (f"{_CRON} | cron-trigger-get cron_{{n}}", "0 3 1 1 *"),
    "cron-trigger-list": (f"{_CRON} | cron-trigger-list", "cron_{n}"),
    "dynamic-action-create": (_DYNAMIC, "dyn_{n}"),
    "dynamic-action-delete": (f"{_DYNAMIC} | dynamic-action-delete dyn_{{n}}", "has been accepted"),
    "dynamic-action-get": (f"{_DYNAMIC} | dynamic-action-get dyn_{{n}}", "dyn_{n}"),
    "dynamic-action-list": (f"{_DYNAMIC} | dynamic-action-list", "dyn_{n}"),
    "dynamic-action-update": (f"{_DYNAMIC} | dynamic-action-update dyn_{{n}} --class-name Hello", "dyn_{n}"),
    "environment-create": (_ENV, "env_{n}"),
    "environment-delete": (f"{_ENV} | environment-delete env_{{n}}", "has been accepted"),
    "environment-get": (f"{_ENV} | environment-get env_{{n}}", "env_{n}"),
    "environment-list": (f"{_ENV} | environment-list", "env_{n}"),
    "environment-update": (f"{_ENV} | environment-update {{file:env}}", "env_{n}"),
    "event-trigger-create": (_EVENT, "event_{n}"),
    "event-trigger-delete": (f"{_EVENT} | event-trigger-delete {{event}}", "has been accepted"),
    "event-trigger-get": (f"{_EVENT} | event-trigger-get {{event}}", "event_{n}"),
    "event-trigger-list": (f"{_EVENT} | event-trigger-list", "event_{n}"),
    "execution-create": (_RUN, "wf_{n}"),
    "execution-delete": (f"{_RUN} | execution-delete {{execution}}", "has been accepted"),
    "execution-get": (f"{_RUN} | execution-get {{execution}}", "wf_{n}"),
    "execution-get-input": (f"{_RUN} | execution-get-input {{execution}}", '"x": 1'),
    "execution-get-output": (f"{_RUN} | execution-get-output {{execution}}", '"p": 1'),
    "execution-get-published": (f"{_RUN} | execution-get-published {{execution}}", "{{}}"),
    "execution-get-report": (f"{_RUN} | execution-get-report {{execution}} --no-errors-only", "task 't' [SUCCESS]"),
    "execution-get-sub-executions": (f"{_RUN} | execution-get-sub-executions {{execution}}", "wf_{n}"),
    "execution-list": (f"{_RUN} | execution-list", "wf_{n}"),
    "execution-update": (f"{_WAIT} | execution-update {{execution}} -s PAUSED", "PAUSED"),
    "member-create": (_MEMBER, "elsewhere"),
    "member-delete": (f"{_MEMBER} | member-delete {{workflow}} workflow elsewhere", ""),
    "member-get": (f"{_MEMBER} | member-get {{workflow}} workflow -m elsewhere", "pending"),
    "member-list": (f"{_MEMBER} | member-list {{workflow}} workflow", "elsewhere"),
    "member-update": (f"{_MEMBER} | member-update {{workflow}} workflow -m elsewhere -s accepted", ""),
    "run-action": ('run-action std.echo {{"output":7}}', '"result"'),
    "task-get": (f"{_RUN} | task-get {{task}}", "SUCCESS"),
    "task-get-published": (f"{_RUN} | task-get-published {{task}}", '"p": 1'),
    "task-get-result": (f"{_RUN} | task-get-result {{task}}", "1"),
    "task-get-sub-executions": (f"{_RUN} | task-get-sub-executions {{task}}", ""),
    "task-list": (f"{_RUN} | task-list {{execution}}", "wf_{n}"),
    "task-rerun": ("workflow-create {file:fail} | execution-create fail_{n} | task-rerun {task}", "fail_{n}"),
    "workbook-create": (_BOOK, "book_{n}"),
    "workbook-delete": (f"{_BOOK} | workbook-delete book_{{n}}", "has been accepted"),
    "workbook-get": (f"{_BOOK} | workbook-get book_{{n}}", "book_{n}"),
    "workbook-get-definition": (f"{_BOOK} | workbook-get-definition book_{{n}}", "name: book_{n}"),
    "workbook-list": (f"{_BOOK} | workbook-list", "book_{n}"),
    "workbook-update": (f"{_BOOK} | workbook-update {{file:book}}", "book_{n}"),
    "workbook-validate": ("workbook-validate {file:book}", "true"),
    "workflow-create": (_WF, "wf_{n}"),
    "workflow-delete": (f"{_WF} | workflow-delete wf_{{n}}", "has been accepted"),
    "workflow-get": (f"{_WF} | workflow-get wf_{{n}}", "wf_{n}"),
    "workflow-get-definition": (f"{_WF} | workflow-get-definition wf_{{n}}", "wf_{n}:"),
    "workflow-list": (f"{_WF} | workflow-list", "wf_{n}"),
    "workflow-update": (f"{_WF} | workflow-update {{file:wf}}", "wf_{n}"),
    "workflow-validate": ("workflow-validate {file:wf}", "true"),
}
_ADMIN_ONLY = {name: FORBIDDEN for name in TABLE if name.startswith(("code-source-", "dynamic-action-"))}
# In these modes these commands fail, with these words.
OTHERWISE: dict[str, dict[str, str]] = {
    "none": _ADMIN_ONLY | {name: NO_SHARING for name in TABLE if name.startswith("member-")},
    "token-user": _ADMIN_ONLY | {"member-update": "not found"},  # only the invited project may accept
    "token-admin": {"member-update": "not found"},
}
OTHERWISE |= {"oidc-user": OTHERWISE["token-user"], "oidc-admin": OTHERWISE["token-admin"]}
_OF_THE_SHELL = {"bash-completion", "help", "complete"}


class Session:
    """A server in one mode, and the client's command as people type it."""

    def __init__(self, server: Server, folder: Path, token: str = "", login: tuple[str, ...] = ()) -> None:
        """`token`: ready to be used. `login`: the client's options by which it gets one itself."""
        self._url = f"{server.url}/v2"
        self._token = token
        self._login = login
        self._folder = folder
        self._number = 0

    def walk(self, lines: str) -> tuple[int, str, dict[str, str]]:
        """Status and output of the last of the lines, with the names that were made on the way. Earlier lines may
        fail: where they are forbidden, so is the last one."""
        self._number += 1
        known = {"n": str(self._number)}
        status, said = 0, ""
        for line in lines.split(" | "):
            words = [self._filled(word, known) for word in re.findall(r"'[^']*'|\S+", line)]
            status, said = self._run([word.strip("'") for word in words])
            if status:
                break
            self._learn(words[0], said, known)
        return status, said, known

    def _filled(self, word: str, known: dict[str, str]) -> str:
        if found := re.fullmatch(r"\{file:(\w+)\}", word):
            file = self._folder / f"{found[1]}_{known['n']}"
            file.write_text(FILES[found[1]].format(**known) if found[1] != "code" else FILES["code"])
            return str(file)
        return word.format(**known)

    def _run(self, words: list[str]) -> tuple[int, str]:
        from mistralclient import shell
        from mistralclient.api import client

        url, token, login = self._url, self._token, self._login

        class Shell(shell.MistralShell):  # type: ignore[misc]
            def _create_client(self) -> Any:
                """With a token that is ready to be used: the command by itself would take it to a Keystone first."""
                if login:
                    return super()._create_client()
                return client.client(mistral_url=url, auth_token=token or None)

        output = io.StringIO()
        handler = logging.StreamHandler(output)
        logging.getLogger().addHandler(handler)
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                form = ["-f", "json"] if words[0].endswith(("-create", "-list", "-get", "-validate", "-update")) else []
                status = Shell().run(["--os-mistral-url", url, *login, *words, *form])
        finally:
            logging.getLogger().removeHandler(handler)
        return int(status or 0), output.getvalue()

    def _learn(self, command: str, said: str, known: dict[str, str]) -> None:
        """Ids that later lines need."""
        made = _row(said)
        if command == "workflow-create":
            known["workflow"] = made["ID"]
        elif command == "event-trigger-create":
            known["event"] = made["ID"]
        elif command == "run-action" and "ID" in said:
            known["action"] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[0]
            self._ended("action-execution-get", known["action"])
        elif command == "execution-create":
            known["execution"] = made["ID"]
            if "wait_" not in said:
                self._ended("execution-get", made["ID"])
            known["task"] = self._first("task-list", made["ID"])
            known["action"] = self._first("action-execution-list", known["task"])

    def _ended(self, command: str, id: str) -> None:
        class Seen(NamedTuple):
            state: str

        wait_for(lambda: Seen(_row(self._run([command, id])[1])["State"]), "SUCCESS", "ERROR")

    def _first(self, command: str, of: str) -> str:
        """The id of the first row, as soon as there is one: without rows the command prints an empty one."""
        deadline = time.monotonic() + PATIENCE
        while not (id := _row(self._run([command, of])[1])["ID"]):
            assert time.monotonic() < deadline, f"{command} {of}"
        return str(id)


def _row(said: str) -> Any:
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found[0] if isinstance(found, list) and found else found


REALM, USER, PASSWORD = "here", "anna", "pw-of-anna"


@contextlib.contextmanager
def opened(mode: Mode, folder: Path) -> Iterator[Session]:
    """A server in this mode and somebody who may use it."""
    options = ("--allow-action-execution-deletion", "--auth", mode.auth)
    if mode.auth == "oidc":
        with Issuer(REALM) as issuer:
            issuer.users = {(REALM, USER): (PASSWORD, list(mode.roles))}
            login = (
                "--auth-type", "keycloak-oidc", "--os-auth-url", issuer.url, "--openid-client-id", "mistral",
                "--os-project-name", REALM, "--os-username", USER, "--os-password", PASSWORD,
            )  # fmt: skip
            with Server(folder, *options, "--oidc-issuer", issuer.url) as server:
                yield Session(server, folder, login=login)
        return
    token = token_for(mode, folder) if mode.auth == "token" else ""
    with Server(folder, *options) as server:
        yield Session(server, folder, token)


def token_for(mode: Mode, folder: Path) -> str:
    settings = load({"database": str(folder / "ostro.sqlite3")}, environment={})
    made, _ = create(settings, project="here", user=mode.name, roles=mode.roles, expires="1d", description="")
    return made


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest) -> Mode:
    found: Mode = request.param
    return found


@pytest.fixture(scope="module")
def session(mode: Mode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp(mode.name)
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("OS_")}
    try:
        with opened(mode, folder) as running:
            yield running
    finally:
        os.environ.update(kept)


def test_the_table_has_every_command_of_the_client() -> None:
    from mistralclient import shell

    assert set(shell.MistralShell._get_commands_v2()) - _OF_THE_SHELL == set(TABLE)


@pytest.mark.parametrize("command", TABLE)
def test_a_command(session: Session, mode: Mode, command: str) -> None:
    lines, expected = TABLE[command]
    status, said, known = session.walk(lines)
    refusal = OTHERWISE[mode.name].get(command)
    if refusal is None:
        assert not status, said
        assert expected.format(**known) in said
    else:
        assert status, said
        assert refusal in said
