"""The files of deploy/, read."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ostro.config import ENV_PREFIX, TABLE, Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def manifests() -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send: the resources of kustomization.yaml, read without kubectl."""
    folder = DEPLOY / "kubernetes"
    (kustomization,) = documents(folder / "kustomization.yaml")
    return [document for name in kustomization["resources"] for document in documents(folder / name)]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Name -> manifest."""
    return {found["metadata"]["name"]: found for found in manifests() if found["kind"] == kind}


def compose() -> dict[str, Any]:
    (found,) = documents(DEPLOY / "compose.yaml")
    return found


def example_variables() -> dict[str, str]:
    """What compose.env.example sets."""
    lines = (DEPLOY / "compose.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def dashboard() -> dict[str, Any]:
    return json.loads((DEPLOY / "monitoring" / "grafana-dashboard.json").read_text())  # type: ignore[no-any-return]


def alerts() -> list[dict[str, Any]]:
    (found,) = documents(DEPLOY / "monitoring" / "alerts.yaml")
    return [rule for group in found["groups"] for rule in group["rules"]]


def settings_of(environment: dict[str, str]) -> Settings:
    """As `ostro serve` would read them. AssertionError for variables that name no setting."""
    known = {setting.variable for setting in TABLE.values()} | {"OSTRO_SECRET_KEY"}
    assert {name for name in environment if name.startswith(ENV_PREFIX)} <= known
    return load({}, {"HOME": "/nowhere", **environment})


def substituted(text: str, variables: dict[str, str]) -> str:
    """`${NAME:?...}` and `$(NAME)` replaced. KeyError for a name that is not there."""
    return re.sub(r"\$[{(](\w+)(?::\?[^})]*)?[})]", lambda found: variables[found[1]], text)


def judged(program: str, where: str, *arguments: str, folder: Path = DEPLOY) -> None:
    """Run a program that judges files; they have to be good. Skips the test where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here ({where})")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
