"""What the code imports is declared, what is declared is imported, and the locks hold no addresses."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ostro"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Packages whose modules have other names.
MODULES = {
    "pyyaml": "yaml",
    "python-dateutil": "dateutil",
    "prometheus-client": "prometheus_client",
    "mini-racer": "py_mini_racer",
    "mistral-lib": "mistral_lib",
    "nats-py": "nats",
    "aio-pika": "aio_pika",
    "opentelemetry-api": "opentelemetry",
}
BROUGHT_ALONG = {"yarl": "aiohttp", "markupsafe": "jinja2", "ply": "yaql"}  # by a package that is declared
USED_BY_NAME = {"httptools", "aiosmtplib", "tzdata"}  # by uvicorn; loaded with the first mail; by zoneinfo


def declared(requirements: list[str]) -> set[str]:
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in requirements}  # type: ignore[index]
    return {MODULES.get(name, name) for name in names}


def imported() -> set[str]:
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"ostro"}


def test_imports_and_dependencies_agree() -> None:
    optional = {name for extra in PROJECT["optional-dependencies"].values() for name in declared(extra)}
    needed = {BROUGHT_ALONG.get(name, name) for name in imported()}
    assert needed - optional == declared(PROJECT["dependencies"]) - USED_BY_NAME


def test_locks_hold_versions_and_hashes_but_no_addresses() -> None:
    for name, fewest in (("run.txt", 20), ("dev.txt", 20), ("node.txt", 2)):
        text = re.sub(r"^#.*\n", "", (ROOT / "requirements" / name).read_text(), flags=re.MULTILINE)
        assert "://" not in text
        assert "--find-links" not in text and "index-url" not in text
        pins = re.findall(r"^[\w.-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[\w.-]+[=<>~ @]", text, re.MULTILINE)) >= fewest


def test_everything_declared_is_locked() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE))
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in PROJECT["dependencies"]}  # type: ignore[index]
    assert names <= locked
