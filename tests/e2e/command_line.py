"""`ostro` as a person runs it: in a folder and a home of the test's, also on a terminal."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.server import PATIENCE, environment


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """`cli("workflow", "list")`. Variables hold for all of its commands."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self._variables = environment(folder, **variables)

    def __call__(self, *arguments: str, input: str = "", **variables: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "ostro", *arguments],
            input=input,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self._variables | variables,
            timeout=PATIENCE,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def good(self, *arguments: str, input: str = "") -> Ran:
        """It has to succeed."""
        done = self(*arguments, input=input)
        assert done.status == 0, done.out + done.err
        return done

    def on_terminal(self, *arguments: str, typed: str = "", columns: int = 100) -> tuple[int, str]:
        """Exit status, and all that the terminal showed."""
        leader, follower = pty.openpty()
        variables = self._variables | {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"}
        process = subprocess.Popen(
            [sys.executable, "-m", "ostro", *arguments],
            stdin=follower, stdout=follower, stderr=follower, cwd=self.folder, env=variables,
        )  # fmt: skip
        os.close(follower)
        os.write(leader, typed.encode())
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(leader)
        return process.wait(PATIENCE), shown.decode().replace("\r\n", "\n")
