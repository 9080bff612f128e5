"""The page's own sources: types are checked, nothing comes from elsewhere, the lock names no host."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.ui.browser import ROOT, needed

UI = ROOT / "ui"


def npx(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the page's packages to its end."""
    program = next((str(path) for path in UI.glob(".node/bin/npx")), shutil.which("npx"))
    if program is None or not (UI / "node_modules" / arguments[0]).is_dir():
        needed("The page's packages are not installed (make install).")
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"
    variables = os.environ | {"PATH": path, "NO_COLOR": "1"}
    return subprocess.run([program, *arguments[1:]], cwd=UI, capture_output=True, text=True, timeout=150, env=variables)


def test_types_are_right() -> None:
    done = npx("typescript", "tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


def test_the_page_s_own_tests_pass() -> None:
    """Those of `npm test`: what the page computes without a browser."""
    done = npx("vitest", "vitest", "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_the_lock_names_no_host_and_pins_what_is_declared() -> None:
    text = (UI / "package-lock.json").read_text()
    lock = json.loads(text)["packages"]
    assert not [name for name, entry in lock.items() if "resolved" in entry]
    assert all("integrity" in entry for name, entry in lock.items() if name)
    declared = json.loads((UI / "package.json").read_text())
    for name, version in (declared["dependencies"] | declared["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"
        assert lock[f"node_modules/{name}"]["version"] == version


def sources() -> list[Path]:
    return [path for path in (UI / "src").rglob("*") if path.suffix in (".ts", ".tsx", ".css")]


def test_colours_are_named_in_one_place() -> None:
    for path in sources():
        if path.suffix == ".css" and path.name != "tokens.css":
            found = re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsl\(", path.read_text())
            assert found == [], f"{path.name} has colours of its own: {found}"
