"""Runs the shared conformance cases against a fresh server and compares with the list of those that may still fail.

Usage: conformance.py FOLDER [conform's options]. Fails if a case fails that is not in
tests/compat/conformance-may-fail.txt, and if a case of that list passes: so the list can only shrink.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAY_FAIL = ROOT / "tests" / "compat" / "conformance-may-fail.txt"


def main(folder: Path, options: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="ostro-conformance-") as scratch:
        url, server = start_server(Path(scratch))
        try:
            first = conform(folder, url, Path(scratch) / "first.json", ["--jobs", "8", *options])
            failed = {id for id, passed in first.items() if not passed}
            allowed = may_fail()
            again = sorted(failed - allowed)
            if again:  # one more look, one at a time: eight at once on two cores may miss a deadline
                print(f"Second try of {len(again)}: {', '.join(again)}", flush=True)
                only = [part for id in again for part in ("--only", f"={id}")]
                second = conform(folder, url, Path(scratch) / "second.json", ["--jobs", "1", *only])
                failed -= {id for id, passed in second.items() if passed}
        finally:
            stop_server(server, Path(scratch))
    new = sorted(failed - allowed)
    better = sorted((allowed & first.keys()) - failed)
    for id in new:
        print(f"FAILED {id}")
    for id in better:
        print(f"PASSES NOW {id}: take it out of {MAY_FAIL.relative_to(ROOT)}")
    print(f"Known to fail, as listed: {len(failed & allowed)}")
    print(f"conformance: {len(first) - len(failed)} passed, {len(new)} failed")
    return 1 if new or better or not first else 0


def may_fail() -> set[str]:
    lines = (line.partition("#")[0].strip() for line in MAY_FAIL.read_text().splitlines())
    return {line for line in lines if line}


def start_server(scratch: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """A server on a free port with a database of its own. Raises RuntimeError if it does not get ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OSTRO_")}
    with (scratch / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ostro", "serve", "--port", str(port), "--database", str(scratch / "ostro.sqlite3")],
            stdout=log,
            stderr=log,
            env=environment | {"XDG_CONFIG_HOME": str(scratch)},
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/v2/", timeout=5).close()
            return url, server
        except OSError:
            time.sleep(0.05)
    print((scratch / "server.log").read_text(errors="replace"))
    server.kill()
    raise RuntimeError("the server did not get ready")


def stop_server(server: subprocess.Popen[bytes], scratch: Path) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        status = server.wait(60)
    except subprocess.TimeoutExpired:
        server.kill()
        status = -9
    if status:
        print((scratch / "server.log").read_text(errors="replace")[-8000:])
        raise RuntimeError(f"the server ended with status {status}")


def conform(folder: Path, url: str, report: Path, options: list[str]) -> dict[str, bool]:
    """Case id -> whether it passed."""
    command = [sys.executable, str(folder / "conform"), "--url", url, "--no-quirks", "--json", str(report), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    print("\n".join(line for line in done.stdout.splitlines() if not line.endswith(("passed", "failed"))))
    if not report.exists():
        print(done.stderr)
        raise RuntimeError("conform made no report")
    return {case["id"]: case["status"] == "PASS" for case in json.loads(report.read_text())["cases"]}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
