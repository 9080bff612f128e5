"""The example package, found by its entry points as an installed one would be."""

import sys
import tomllib
from pathlib import Path

import pytest

from ostro.executor import ExecutorSettings, load_registry
from ostro.executor.perform import perform
from ostro.executor.plugins import plugin_action
from ostro.executor.registry import is_listed
from ostro.executor.services import Services
from ostro.http.egress import EgressPolicy
from ostro.model.commands import ActionJob

EXAMPLE = Path(__file__).parents[3] / "examples" / "plugin"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The example on the path with the metadata that its build would make; `add(group, name, value)` adds more."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = tmp_path / "ostro_example_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = {group: dict(entries) for group, entries in project["entry-points"].items()}

    def write():
        lines = [
            line
            for group, entries in groups.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))

    def add(group, name, value):
        groups[group][name] = value
        write()

    write()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    yield add
    for name in [name for name in sys.modules if name.startswith("ostro_example")]:
        del sys.modules[name]


async def run(registry, name, /, *, rehearse=False, **given):
    job = ActionJob(
        action_id="a1",
        attempt=1,
        root_id="r",
        execution_id="ex",
        task_id="t",
        name=name,
        input=given,
        project_id="p",
        context={"task_name": "task", "workflow_name": "wf", "callback_url": "/cb"},
    )
    outcome = await perform(job, registry, Services(ExecutorSettings(), EgressPolicy()), rehearse=rehearse)
    return outcome.state, outcome.result


async def test_functions_and_classes(installed, tmp_path):
    registry = load_registry()
    assert registry.problems == ()
    (tmp_path / "words").write_text("a b a")
    assert await run(registry, "example.greet", name="Ada") == ("SUCCESS", "Hello, Ada! (task)")
    assert await run(registry, "example.count_words", path=str(tmp_path / "words")) == ("SUCCESS", {"a": 2, "b": 1})
    assert await run(registry, "example.divide", dividend=3) == ("SUCCESS", 1.5)
    assert await run(registry, "example.order", item="tea") == ("RUNNING", None)
    assert await run(registry, "example.order", item="unicorn") == ("ERROR", {"code": "sold-out", "item": "unicorn"})
    state, result = await run(registry, "example.divide", dividend=1, divisor=0)
    assert state == "ERROR"
    assert "msg='division by zero'" in result


async def test_actions_written_for_mistral(installed):
    registry = load_registry()
    found = {"price": 3, "currency": "EUR", "by": "wf"}
    assert await run(registry, "legacy.lookup", item="tea") == ("SUCCESS", found)
    assert await run(registry, "legacy.lookup", item="car") == ("ERROR", {"unknown": "car"})
    assert await run(registry, "legacy.lookup", item="nothing") == ("CANCELLED", None)
    assert await run(registry, "legacy.ticket", title="x") == ("RUNNING", None)


async def test_a_rehearsal_calls_test_and_nothing_else(installed):
    registry = load_registry()
    rehearsed = await run(registry, "legacy.lookup", item="x", rehearse=True)
    assert rehearsed == ("SUCCESS", {"price": 1, "currency": "EUR"})
    for name, given in (("legacy.ticket", {"title": "x"}), ("std.http", {"url": "http://127.0.0.1"})):
        state, result = await run(registry, name, rehearse=True, **given)
        assert state == "ERROR"
        assert "cannot be rehearsed" in result


def test_what_the_engine_learns(installed):
    infos = load_registry().infos
    assert infos["example.greet"].input_text() == 'name, greeting="Hello"'
    assert infos["example.greet"].description == "Greets somebody on behalf of the task."
    assert infos["legacy.lookup"].input_text() == 'item, currency="EUR"'
    assert infos["legacy.lookup"].class_name == "ostro_example.legacy.Lookup"
    assert [name for name, info in infos.items() if info.is_async] == [
        "example.order",
        "legacy.ticket",
        "std.mistral_http",
    ]


def test_what_cannot_be_loaded_is_a_problem_and_no_more(installed):
    installed("ostro.actions", "bad.module", "ostro_example.nothing:here")
    installed("ostro.actions", "bad.object", "ostro_example.actions:__name__")
    installed("mistral.actions", "bad.class", "ostro_example.actions:greet")
    installed("mistral.actions", "std.http", "ostro_example.legacy:Lookup")
    registry = load_registry()
    assert len(registry.problems) == 4
    assert all(problem.startswith("ostro-example-plugin 1.0, ostro_example.") for problem in registry.problems)
    assert registry.infos["std.http"].params[0][0] == "url"
    assert "example.greet" in registry.infos


def test_lists_of_allowed_and_denied_names(installed):
    assert is_listed("std.ssh", [], ["std.ssh*"]) is False
    assert is_listed("std.ssh", ["std.*"], ["std.ssh*"]) is True
    assert is_listed("x.y", ["std.*"], []) is False
    assert set(load_registry(allow=["legacy.*"]).infos) == {"legacy.lookup", "legacy.ticket"}
    assert "example.greet" not in load_registry(plugins=False).infos


def test_the_signatures_of_the_standard_actions():
    texts = {name: info.input_text() for name, info in load_registry(plugins=False).infos.items()}
    http = (
        'url, method="GET", params=null, body=null, json=null, headers=null, cookies=null, auth=null, '
        "timeout=null, allow_redirects=null, proxies=null, verify=null"
    )
    assert texts == {
        "std.http": http,
        "std.mistral_http": http,
        "std.http_step": "request, step=0, redirects=null, respect_retry_after=true, secrets=[]",
        "std.email": (
            "from_addr, to_addrs, smtp_server, reply_to=null, cc_addrs=null, bcc_addrs=null, smtp_password=null, "
            "subject=null, body=null, html_body=null"
        ),
        "std.ssh": (
            'cmd, host, username, password="", private_key_filename=null, private_key=null, '
            "return_result_on_error=false"
        ),
        "std.ssh_proxied": (
            "cmd, host, username, private_key_filename, gateway_host, gateway_username=null, password=null, "
            "proxy_command=null, private_key=null"
        ),
        "std.javascript": "script, context=null",
        "std.js": "script, context=null",
        "std.wait_ssh": "host, username, password",
    }


def test_positional_only_parameters_cannot_be_given_by_name():
    def odd(a, /):
        return a

    with pytest.raises(ValueError, match="'a' cannot be given by name"):
        plugin_action("odd", odd)


async def test_any_keyword_where_the_signature_takes_it():
    def anything(**values):
        return values

    assert plugin_action("x", anything).info.accepts_any
