"""The parts of compose.yaml as plain processes, with its settings, NATS' configuration and permissions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.deploy.files import DEPLOY, compose, example_variables, substituted
from tests.e2e.server import environment
from tests.faults.parts import Part
from tests.faults.servers import Postgres, missing, new_folder, until
from tests.ports import free_port

pytestmark = pytest.mark.skipif(bool(missing()) and not os.environ.get("CI"), reason=f"not here: {missing()}")

WORKFLOW = """
version: '2.0'
w:
  output: {said: <% $.said %>}
  tasks:
    js: {action: std.js script="return 'hello'", publish: {said: <% task().result %>}}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = new_folder("ostro-deploy-")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgres")
    server.start()
    server.query("CREATE DATABASE ostro", database="postgres")
    yield server
    server.close()


@pytest.fixture
def nats(folder: Path) -> Iterator[int]:
    """Its port."""
    port, monitor = free_port(), free_port()
    text = (DEPLOY / "nats" / "nats.conf").read_text()
    for old, new in (
        ("port: 4222", f"port: {port}"),
        ("http: 8222", f"http: {monitor}"),
        ("/data", str(folder / "js")),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "nats.conf").write_text(text)
    (folder / "permissions.conf").write_text((DEPLOY / "nats" / "permissions.conf").read_text())
    with (folder / "nats.log").open("wb") as log:
        process = subprocess.Popen(
            ["nats-server", "-c", str(folder / "nats.conf")],
            stdout=log,
            stderr=log,
            env={**os.environ, **example_variables()},
        )
    until(
        lambda: httpx.get(f"http://127.0.0.1:{monitor}/healthz").is_success if process.poll() is None else None, "NATS"
    )
    yield port
    process.kill()
    process.wait()


def variables_of(role: str, postgres: Postgres, nats: int, folder: Path) -> dict[str, str]:
    given: dict[str, Any] = compose()["services"][role]["environment"]
    found = {name: substituted(value, example_variables()) for name, value in given.items()}
    found["OSTRO_NATS"] = found["OSTRO_NATS"].replace("@nats:4222", f"@127.0.0.1:{nats}")
    if "OSTRO_DATABASE" in found:
        found["OSTRO_DATABASE"] = found["OSTRO_DATABASE"].replace("postgres:5432", f"127.0.0.1:{postgres.port}")
        found["OSTRO_KEY_FILE"] = str(folder / "key")
    key = subprocess.run([sys.executable, "-m", "ostro", "secret", "key"], capture_output=True, text=True, check=True)
    return {**found, "OSTRO_SECRET_KEY": key.stdout.strip()}


def test_a_workflow_runs_through_all_parts(folder: Path, postgres: Postgres, nats: int) -> None:
    (folder / "key").write_bytes(Fernet.generate_key())
    parts = {
        role: Part(folder, role, **variables_of(role, postgres, nats, folder)) for role in ("engine", "api", "executor")
    }
    try:
        for part in parts.values():
            part.start()
        for part in parts.values():
            assert httpx.get(f"{part.url}/healthcheck").is_success, part.said()
        for role in ("engine", "executor"):
            assert "ostro_" in httpx.get(f"{parts[role].url}/metrics").text
        assert httpx.get(f"{parts['engine'].url}/v2/workflows").status_code == 404
        token = subprocess.run(
            [sys.executable, "-m", "ostro", "token", "create", "--project", "demo", "--role", "admin"],
            capture_output=True, text=True, check=True,
            env=environment(folder, **variables_of("api", postgres, nats, folder)),
        ).stdout.strip()  # fmt: skip
        with httpx.Client(base_url=parts["api"].url, headers={"X-Auth-Token": token}, timeout=60) as client:
            assert client.post("/v2/workflows", content=WORKFLOW).status_code == 201
            started = client.post("/v2/executions", json={"workflow_name": "w"}, headers={"Prefer": "wait=50"})
            assert started.json()["state"] == "SUCCESS", started.text
            assert "hello" in started.json()["output"]
            assert "ostro_" in client.get("/metrics").text
            services = {service["type"] for service in client.get("/v2/services").json()["services"]}
            assert {"api_group", "engine_group", "executor_group"} <= services
        assert "iolation" not in (folder / "nats.log").read_text()  # of a permission
    except BaseException:
        print("\n".join(f"--- {part.name}\n{part.said()[-2500:]}" for part in parts.values()))
        print((folder / "nats.log").read_text()[-1500:])
        raise
    finally:
        for part in parts.values():
            part.close()
