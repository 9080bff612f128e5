"""The units for systemd and the configuration of NATS, judged by the programs that read them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ostro.config import TABLE
from tests.deploy.files import DEPLOY, example_variables, of_kind

UNITS = sorted((DEPLOY / "systemd").glob("ostro*"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With a program in place of Ostro's, since the real one is not in /opt here; a template as each of its roles."""
    for unit in UNITS:
        text = unit.read_text().replace("/opt/ostro/bin/ostro", "/bin/true")
        names = [unit.name.replace("@", f"@{role}") for role in ("api", "engine", "executor")]
        for name in names if "@" in unit.name else [unit.name]:
            (tmp_path / name).write_text(text)
    files = sorted(str(file) for file in tmp_path.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "ostro" in line]
    assert said == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_set_only_what_exists(unit: Path) -> None:
    text = unit.read_text()
    known = {setting.variable for setting in TABLE.values()} | {"OSTRO_SECRET_KEY"}
    assert set(re.findall(r"\bOSTRO_\w+", text)) <= known
    if unit.suffix == ".service":
        assert "User=ostro" in text
        assert "NoNewPrivileges=yes" in text
        assert int(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0]) > TABLE["drain"].default + 10


def configurations() -> dict[str, tuple[str, str]]:
    """Name -> the text and the folder, beside that of the configuration, where the permissions are."""
    return {
        "compose": ((DEPLOY / "nats" / "nats.conf").read_text(), "nats"),
        "kubernetes": (of_kind("ConfigMap")["ostro-nats"]["data"]["nats.conf"], "nats-permissions"),
    }


@pytest.mark.skipif(shutil.which("nats-server") is None, reason="no nats-server here")
@pytest.mark.parametrize("name", configurations())
def test_nats_takes_the_configuration(name: str, tmp_path: Path) -> None:
    text, place = configurations()[name]
    (tmp_path / "nats").mkdir()
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "permissions.conf").write_text((DEPLOY / "nats" / "permissions.conf").read_text())
    (tmp_path / "nats" / "nats.conf").write_text(text.replace("/data", str(tmp_path / "data")))
    variables = {name: value for name, value in example_variables().items() if name.startswith("OSTRO_NATS_")}
    done = subprocess.run(
        ["nats-server", "-t", "-c", str(tmp_path / "nats" / "nats.conf")],
        capture_output=True,
        text=True,
        env={**os.environ, **variables, "POD_NAME": "ostro-nats-0"},
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_the_permissions_are_those_that_the_command_prints() -> None:
    done = subprocess.run([sys.executable, "-m", "ostro", "nats", "permissions"], capture_output=True, text=True)
    assert done.stdout == (DEPLOY / "nats" / "permissions.conf").read_text()


def test_every_user_of_nats_has_a_part_that_is_it() -> None:
    users = set(re.findall(r'user: "([^"]+)"', (DEPLOY / "nats" / "permissions.conf").read_text()))
    for text in (
        (DEPLOY / "compose.yaml").read_text(),
        *((DEPLOY / "kubernetes" / f"{part}.yaml").read_text() for part in ("api", "engine", "executor")),
    ):
        found = set(re.findall(r"nats://([\w-]+):", text))
        assert found
        users -= found
        assert found <= {"ostro-api", "ostro-engine", "ostro-executor-local"}
    assert users == set()
