"""`ostro automation` at a server, and with files alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.automations.front_door import DISABLE, EXAMPLES, TOKEN, USERS, Site, check, system_apis
from tests.e2e.server import PATIENCE, Server, environment


def ostro(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ostro", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder, **variables),
        timeout=PATIENCE,
    )


def good(folder: Path, *arguments: str, **variables: str) -> str:
    done = ostro(folder, *arguments, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_life_of_an_automation(tmp_path: Path) -> None:
    example = next(example for example in EXAMPLES if example.name == "disable")
    with Site(example, refusals=1) as site, Server(tmp_path, "--system-apis", system_apis(site.url)) as server:
        at = {"OSTRO_URL": server.url, "OSTRO_TOKEN": TOKEN}
        (tmp_path / "a.yaml").write_text(example.source(site.url))
        uid = good(tmp_path, "automation", "create", "a.yaml", **at)
        again = ostro(tmp_path, "automation", "create", "a.yaml", **at)
        assert (again.returncode, again.stdout) == (1, "")
        assert "Disable stale users" in again.stderr
        assert uid in good(tmp_path, "automation", "list", **at)
        shown = yaml.safe_load(good(tmp_path, "automation", "show", "Disable stale users", **at))
        assert [step["name"] for step in shown["steps"]] == ["list users", "disable", "report"]
        state = json.dumps({"stale": USERS[2:]})
        calls = json.loads(good(tmp_path, "automation", "preview", uid, "--state", state, **at))["calls"]
        assert [call["url"] for call in calls[1:3]] == [f"{site.url}/users/2", f"{site.url}/users/3"]
        assert not site.served, "a preview sends nothing"
        execution = json.loads(good(tmp_path, "automation", "run", uid, "--wait", str(PATIENCE), **at))
        assert execution["state"] == "SUCCESS"
        check(site, example, execution["output"])
        (tmp_path / "b.yaml").write_text(example.source(site.url).replace("Disable stale", "Disable old"))
        assert good(tmp_path, "automation", "update", uid, "b.yaml", **at) == uid
        good(tmp_path, "automation", "delete", "Disable old users", **at)
        assert good(tmp_path, "automation", "list", **at) == ""
        assert good(tmp_path, "automation", "restore", uid, **at) == uid
        good(tmp_path, "automation", "delete", uid, "--purge", "--yes", **at)
        gone = ostro(tmp_path, "automation", "show", uid, **at)
        assert (gone.returncode, gone.stderr) == (7, f"ostro: Automation not found [uid={uid}]\n")


def test_files_need_no_server(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(DISABLE.replace("SITE", "http://chat.example"))
    apis = {"OSTRO_SYSTEM_APIS": "users=https://users.example/api"}
    assert "0 errors" in good(tmp_path, "automation", "validate", "a.yaml")
    text = good(
        tmp_path, "automation", "preview", "a.yaml", "--state", '{"stale": [{"id": 7}], "disabled": [1], "seen": 3}',
        "--user", "workspace_id=w", OSTRO_TOKEN=TOKEN, **apis,
    )  # fmt: skip
    assert TOKEN not in text
    calls = json.loads(text)["calls"]
    assert [(call["method"], call["url"]) for call in calls] == [
        ("GET", "https://users.example/api"),
        ("PATCH", "https://users.example/api/7"),
        ("POST", "http://chat.example/hooks/T0/B0"),
    ]
    assert calls[0]["headers"] == {"Authorization": "Bearer ***"}
    assert calls[2]["body"] == {"text": "Disabled 1 of 3 users"}


def test_findings_have_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "name: x\nsteps:\n  - name: a\n    apispec: {url: 'http://a/{{ b', method: GET}\n"
    )
    done = ostro(tmp_path, "lint", "bad.yaml")
    assert done.returncode == 1
    assert done.stdout.startswith("bad.yaml:4:20: error: steps[0].apispec.url: ")
    refused = ostro(tmp_path, "run", "bad.yaml")
    assert refused.returncode == 2
    assert "steps[0].apispec.url" in refused.stderr


@pytest.mark.parametrize("state", ["SUCCESS", "ERROR"])
def test_ostro_run_tells_how_it_ended(tmp_path: Path, state: str) -> None:
    example = EXAMPLES[3]
    with Site(example, refusals=0) as site:
        path = "regions" if state == "SUCCESS" else "nothing"
        text = {"name": "n", "steps": [{"name": "a step", "apispec": {"url": f"{site.url}/{path}"}}]}
        (tmp_path / "a.json").write_text(json.dumps(text))
        done = ostro(tmp_path, "run", "a.json")
    assert done.returncode == (0 if state == "SUCCESS" else 1), done.stderr
    assert f"{state:9} task     a step" in done.stdout


def test_imports_and_exports_fit_together(tmp_path: Path) -> None:
    curl = "curl -X PUT https://api.example.com/users/7 --json '{\"enabled\": false}'"
    text = good(tmp_path, "automation", "import", "curl", curl, "--name", "Disable")
    (tmp_path / "a.yaml").write_text(text)
    assert yaml.safe_load(text)["name"] == "Disable"
    assert "0 errors" in good(tmp_path, "lint", "a.yaml")
    arazzo = json.loads(good(tmp_path, "automation", "export", "arazzo", "a.yaml", "--output", "out"))
    assert arazzo["arazzo"] == "1.0.1"
    sources = [source["url"].removeprefix("./") for source in arazzo["sourceDescriptions"]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*sources, "disable.arazzo.json"])
    back = good(tmp_path, "automation", "import", "openapi", f"out/{sources[0]}", "--operation", "PUT /users/7")
    assert yaml.safe_load(back)["steps"][0]["apispec"]["url"] == "https://api.example.com/users/7"
