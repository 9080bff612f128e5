"""Installs a built wheel as users do, without Node.js and without this folder, and asks it for its page.

Usage: wheel.py dist/ostro-*.whl
"""

import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(wheel: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ostro-wheel-") as folder:
        scratch = Path(folder)
        venv.create(scratch / "venv", with_pip=True)
        python = scratch / "venv" / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "run.txt")], check=True)
        subprocess.run([*pip, "--no-deps", str(wheel.resolve())], check=True)
        look(python, scratch)
    print(f"{wheel.name}: installs, starts and serves its page")


def look(python: Path, scratch: Path, health: list[str] | None = None) -> None:
    """Start the installed server and read its page. AssertionError if something is missing. `health`: arguments of a
    Python command that finds out whether it is well."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OSTRO_", "PYTHON"))}
    command = [python, "-m", "ostro", "serve", "--port", "0", "--database", scratch / "ostro.sqlite3"]
    server = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        cwd=scratch,
        env=kept | {"HOME": str(scratch), "PATH": "/usr/bin:/bin"},
    )
    try:
        assert server.stderr is not None
        url = next(found[1] for line in server.stderr if (found := re.search(r"is ready at (http://[^\s\"]+)", line)))
        if health is not None:
            port = url.rpartition(":")[2]
            subprocess.run([python, *health], check=True, env=kept | {"OSTRO_PORT": port})
        page = read(f"{url}/ui/")
        scripts = re.findall(r'(?:src|href)="(/ui/assets/[^"]+)"', page)
        assert scripts, page
        for script in scripts:
            assert read(url + script), script
        assert "react" in read(f"{url}/ui/notices.txt")
        installed = subprocess.run(
            [python, "-c", "import ostro, pathlib; print(pathlib.Path(ostro.__file__).parent)"],
            capture_output=True, text=True, check=True, cwd=scratch,
        )  # fmt: skip
        assert "msgspec" in (Path(installed.stdout.strip()) / "notices.txt").read_text("utf-8")
    finally:
        server.terminate()
        server.wait(60)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
