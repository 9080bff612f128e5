"""More requests than the engine can take at once: some are refused with a word on when to try again, and no others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from ostro.engine.door import Door
from ostro.model.commands import ActionAlive, Caller, FinishAction, RunAction
from ostro.model.errors import TooMany, Unavailable
from tests.e2e.server import Server
from tests.robustness.conftest import MIB

SLEEP = {"name": "std.sleep", "input": {"seconds": 2}, "params": {"run_sync": True}}


def command(project: str) -> RunAction:
    return RunAction(root_id="r", caller=Caller(project_id=project), name="std.noop")


def test_a_project_gets_its_share_and_no_more() -> None:
    door = Door(most=3, most_of_one=2)
    for project in ("a", "a", "b"):
        door.enter(command(project))
    with pytest.raises(Unavailable):
        door.enter(command("c"))
    door.leave(command("b"))
    with pytest.raises(TooMany):
        door.enter(command("a"))
    door.enter(command("c"))
    assert (door.open, door.refused) == (3, 2)


def test_what_executors_report_is_never_refused() -> None:
    door = Door(most=1, most_of_one=1)
    door.enter(command("a"))
    reports = (
        ActionAlive(root_id="r", execution_id=None, task_id=None, action_id="x", attempt=1),
        FinishAction(root_id="r", execution_id=None, task_id=None, action_id="x", state="SUCCESS", attempt=1),
    )
    for report in reports:
        door.enter(report)
        door.leave(report)
    by_api = FinishAction(root_id="r", execution_id=None, task_id=None, action_id="x", state="SUCCESS")
    with pytest.raises(Unavailable):
        door.enter(by_api)
    assert door.open == 1


def test_a_flood_is_refused_with_the_time_to_come_back_and_reads_go_on(tmp_path: Path) -> None:
    with (
        Server(tmp_path, "--open-requests", "20") as server,
        httpx.Client(
            base_url=server.url, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=80)
        ) as client,
        ThreadPoolExecutor(60) as threads,
    ):
        answers = list(threads.map(lambda _: client.post("/v2/action_executions", json=SLEEP), range(60)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert sum(answer.status_code == 201 for answer in answers) >= 10
        assert len(refused) >= 10
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert "Try again soon" in refused[0].json()["faultstring"]
        assert client.get("/v2/executions").status_code == 200
        assert client.post("/v2/action_executions", json=SLEEP).status_code == 201


def test_memory_is_given_back_after_a_wave_of_executions(tmp_path: Path) -> None:
    text = (
        f"version: '2.0'\nwave:\n  input: [x]\n  tasks: {{t: {{action: std.noop, publish: {{y: '{'y' * 2000}'}}}}}}\n"
    )
    with (
        Server(tmp_path) as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        assert client.post("/v2/workflows", content=text, headers={"Content-Type": "text/plain"}).status_code == 201
        process = psutil.Process(server.pid)

        def wave() -> int:
            body = {"workflow_name": "wave", "input": {"x": "z" * 20_000}}
            statuses = threads.map(lambda _: client.post("/v2/executions", json=body).status_code, range(300))
            assert set(statuses) == {201}
            return int(process.memory_info().rss)

        wave()
        first = wave()
        last = max(wave() for _ in range(3))
        assert last - first < 40 * MIB, (first // MIB, last // MIB)
