"""`requirements/page` where nothing can be downloaded: installing goes on and says what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.browser import ROOT

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "ui", folder / "ui", ignore=shutil.ignore_patterns("node_modules", ".node"))
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def page(checkout: Path, *arguments: str, programs: str = "") -> "subprocess.CompletedProcess[str]":
    unreachable = {
        "npm_config_registry": NOWHERE,
        "npm_config_cache": str(checkout / "cache"),
        "npm_config_fetch_retries": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": NOWHERE,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }
    path = f"{programs}{os.pathsep}{os.environ['PATH']}" if programs else os.environ["PATH"]
    return subprocess.run(
        [checkout / "requirements" / "page", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | unreachable | {"PATH": path},
        timeout=150,
    )


def test_without_packages_the_rest_is_installed_and_the_reason_told(checkout: Path) -> None:
    done = page(checkout)
    assert done.returncode == 0, done.stderr
    assert "The web page was not built" in done.stderr
    assert "Ostro works without it" in done.stderr
    assert not (checkout / "src").exists()
    assert page(checkout, "required").returncode == 1


def test_an_old_node_is_not_used(checkout: Path) -> None:
    old = checkout / "old"
    old.mkdir()
    for name in ("node", "npm"):
        (old / name).write_text("#!/bin/sh\necho 10.24.1\n")
        (old / name).chmod(0o755)
    done = page(checkout, programs=str(old))
    assert done.returncode == 0, done.stderr
    assert "Node.js cannot be installed" in done.stderr


def test_what_is_built_already_is_left_alone(checkout: Path) -> None:
    built = checkout / "src" / "ostro" / "ui_dist"
    built.mkdir(parents=True)
    (built / "index.html").write_text("as it was")
    command = (ROOT / "requirements" / "page").read_text()
    lines = command[command.index("fingerprint()") : command.index("fits()")]
    script = f"cd {checkout}\n{lines}\nfingerprint"
    print_ = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    (built / ".made-from").write_text(print_)
    done = page(checkout, "required")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (checkout / "ui" / "index.html").write_text("changed")
    assert page(checkout, "required").returncode == 1  # it would be built anew, and cannot be
