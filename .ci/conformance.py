"""Runs the shared conformance cases against fresh servers and compares with the list of those that may still fail.

Usage: conformance.py FOLDER [conform's options]. First one process on SQLite; then an API, two engines and an executor
on a PostgreSQL and a NATS of their own, with all cases that are not slow. Fails if a case fails that is not in
tests/compat/conformance-may-fail.txt, and if a case of that list passes: so the list can only shrink.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers_nats, servers_postgres  # noqa: E402
from tests.e2e.server import Server  # noqa: E402

MAY_FAIL = ROOT / "tests" / "compat" / "conformance-may-fail.txt"


def main(folder: Path, options: list[str]) -> int:
    # Settings of whoever calls are not what is tested.
    for name in [name for name in os.environ if name.startswith("OSTRO_")]:
        del os.environ[name]
    status = 0
    for title, open_servers, more in (
        ("one process, SQLite", alone, []),
        ("four processes, PostgreSQL and NATS", cluster, ["--no-slow"]),
    ):
        print(f"--- {title}", flush=True)
        with tempfile.TemporaryDirectory(prefix="ostro-conformance-") as scratch, open_servers(Path(scratch)) as url:
            status |= judge(folder, url, Path(scratch), [*options, *more])
    return status


@contextmanager
def alone(scratch: Path) -> Iterator[str]:
    with Server(scratch) as server:
        yield server.url


@contextmanager
def cluster(scratch: Path) -> Iterator[str]:
    """The address of the API."""
    lacking = servers_postgres.missing() or servers_nats.missing()
    if lacking:
        raise RuntimeError(lacking)
    with ExitStack() as stack:
        nats = stack.enter_context(servers_nats.NatsServer(subfolder(scratch, "nats")))
        postgres = stack.enter_context(servers_postgres.PostgresServer(subfolder(scratch, "postgres")))
        shared = ("--database", postgres.new_database())
        first = None
        for number, role in enumerate(("api", "engine", "engine", "executor")):
            database = () if role == "executor" else shared
            part = Server(subfolder(scratch, f"{role}{number}"), "--roles", role, "--nats", nats.url, *database)
            stack.enter_context(part)
            first = first or part
        assert first is not None
        yield first.url


def subfolder(scratch: Path, name: str) -> Path:
    made = scratch / name
    made.mkdir()
    return made


def judge(folder: Path, url: str, scratch: Path, options: list[str]) -> int:
    """0 if all went as expected, else 1."""
    first = conform(folder, url, scratch / "first.json", ["--jobs", "8", *options])
    failed = {id for id, passed in first.items() if not passed}
    allowed = may_fail()
    again = sorted(failed - allowed)
    if again:  # one more look, one at a time: eight at once on two cores may miss a deadline
        print(f"Second try of {len(again)}: {', '.join(again)}", flush=True)
        only = [part for id in again for part in ("--only", f"={id}")]
        second = conform(folder, url, scratch / "second.json", ["--jobs", "1", *only])
        failed -= {id for id, passed in second.items() if passed}
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
