"""Processes with different roles, joined by PostgreSQL and NATS: they work as one, come, go and die."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import TEXT, Api, Cluster, until
from tests.servers_postgres import PostgresServer

SHARDS = 256


@pytest.fixture
def alone(tmp_path: Path, postgres: PostgresServer) -> Iterator[Cluster]:
    """Without NATS."""
    url = postgres.new_database()
    with Cluster(tmp_path, url, None) as cluster:
        yield cluster
    postgres.drop(url)


def test_each_role_in_a_process_of_its_own(cluster: Cluster) -> None:
    engine = cluster.start("engine")
    executor = cluster.start("executor")
    api = Api(cluster.start("api").url)
    api.upload(TEXT)
    assert [api.ended(api.begin(name)) for name in ("quick", "slow")] == ["SUCCESS", "SUCCESS"]
    expected = {(engine.name, "engine"), (executor.name, "executor"), (cluster.processes[2].name, "api")}
    until(lambda: set(api.services()) == expected, "all three to be listed")
    for process in (engine, executor):
        http = Api(process.url).http
        assert http.get("/healthcheck").json()["status"] == "ok"
        assert http.get("/v2/executions").status_code == 404
    executor.kill()
    until(lambda: {role for _, role in api.services()} == {"engine", "api"}, "the dead one to leave the list")


def test_engines_share_and_hand_over_without_losing_anything(cluster: Cluster) -> None:
    first = cluster.start("api,engine,executor")
    api = Api(first.url)
    api.upload(TEXT)
    assert api.shards() == SHARDS
    ids = [api.begin("slow") for _ in range(12)]
    second = cluster.start("api,engine,executor")
    other = Api(second.url)
    until(lambda: (api.shards(), other.shards()) == (SHARDS // 2, SHARDS // 2), "equal shares")
    ids += [other.begin("slow") for _ in range(12)]
    assert first.stop() == 0
    until(lambda: other.shards() == SHARDS, "the second to own all")
    first.start()
    until(lambda: (api.shards(), other.shards()) == (SHARDS // 2, SHARDS // 2), "equal shares again")
    ids += [api.begin("slow") for _ in range(12)]
    assert second.stop() == 0
    assert [api.ended(id) for id in ids] == ["SUCCESS"] * len(ids)


@pytest.mark.parametrize("how", ["kill", "stop for a while"])
def test_the_shards_of_an_engine_that_is_gone_are_taken_over(cluster: Cluster, how: str) -> None:
    engines = [cluster.start("engine") for _ in range(2)]
    cluster.start("executor")
    api = Api(cluster.start("api").url)
    api.upload(TEXT)
    shares = [Api(engine.url) for engine in engines]
    until(lambda: [share.shards() for share in shares] == [SHARDS // 2] * 2, "equal shares")
    ids = [api.begin("slow") for _ in range(24)]
    victim, survivor = engines[0], shares[1]
    if how == "kill":
        victim.kill()
    else:
        victim.signal(signal.SIGSTOP)
    until(lambda: survivor.shards() == SHARDS, "the other to own all")
    ids += [api.begin("slow") for _ in range(12)]
    if how == "kill":
        victim.start()
    else:
        victim.signal(signal.SIGCONT)
    until(lambda: [share.shards() for share in shares] == [SHARDS // 2] * 2, "equal shares again")
    ids += [api.begin("slow") for _ in range(12)]
    assert [api.ended(id) for id in ids] == ["SUCCESS"] * len(ids)


def test_one_that_stands_by_takes_over_without_nats(alone: Cluster) -> None:
    first = alone.start("api,engine,executor")
    api = Api(first.url)
    api.upload(TEXT)
    second = alone.start("api,engine,executor")
    standby = Api(second.url)
    refused = standby.http.post("/v2/executions", json={"workflow_name": "quick"})
    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    assert (api.shards(), standby.shards()) == (SHARDS, 0)
    ids = [api.begin("waits") for _ in range(6)]
    first.kill()
    ids += [standby.begin("slow") for _ in range(6)]
    assert [standby.ended(id) for id in ids] == ["SUCCESS"] * 12
    assert standby.shards() == SHARDS


def test_definitions_written_anywhere_are_used_everywhere_at_once(cluster: Cluster) -> None:
    one = Api(cluster.start("api,engine").url)
    two = Api(cluster.start("api,engine").url)
    text = "version: '2.0'\nwf: {{output: {{v: {}}}, tasks: {{t: {{action: std.noop}}}}}}\n"
    one.upload(text.format(0))
    for version in range(1, 25):
        writer, starter = (one, two) if version % 2 else (two, one)
        writer.upload(text.format(version), "PUT")
        answer = starter.http.post("/v2/executions", json={"workflow_name": "wf"}, headers={"prefer": "wait=30"}).json()
        assert starter.ended(answer["id"]) == "SUCCESS"
        assert starter.execution(answer["id"])["output"] == f'{{"v":{version}}}'


def test_triggers_and_maintenance_of_a_cluster(cluster: Cluster) -> None:
    engines = [cluster.start("engine") for _ in range(2)]
    api = Api(cluster.start("api").url)
    other = Api(cluster.start("api").url)
    api.upload(TEXT)

    def with_duties() -> list[int]:
        return [number for number, engine in enumerate(engines) if "duties now" in "".join(engine.lines)]

    until(lambda: bool(with_duties()), "an engine with the duties")
    workflow_id = api.http.get("/v2/workflows/quick").json()["id"]
    trigger = {"name": "t", "workflow_id": workflow_id, "exchange": "x", "topic": "t", "event": "e"}
    assert api.http.post("/v2/event_triggers", json=trigger).status_code == 201

    def tell() -> str:
        """An event; the execution that it starts."""
        answer = other.http.post("/v2/events/x/t/e", json={})
        assert answer.status_code == 202, answer.text
        [id] = answer.json()["executions"]
        until(lambda: other.http.get(f"/v2/executions/{id}").status_code == 200, "the start")
        return str(id)

    assert api.ended(tell()) == "SUCCESS"

    assert api.http.put("/maintenance", json={"status": "PAUSED"}).status_code == 200
    until(lambda: other.http.get("/maintenance").json()["status"] == "PAUSED", "maintenance everywhere")
    assert other.http.put("/maintenance", json={"status": "RUNNING"}).status_code == 200
    until(lambda: api.http.get("/maintenance").json()["status"] == "RUNNING", "its end everywhere")

    engines[with_duties()[0]].kill()
    until(lambda: len(with_duties()) == 2, "the other to have the duties")
    assert api.ended(tell()) == "SUCCESS"


def test_actions_go_to_the_executor_that_they_name(cluster: Cluster) -> None:
    api = Api(cluster.start("api,engine").url)
    cluster.start("executor", "--name", "left", "--no-shared")
    api.upload(
        "version: '2.0'\n"
        "wf: {input: [to], tasks: {t: {action: std.javascript script='return 1', target: <% $.to %>}}}\n"
    )
    assert api.ended(api.begin("wf", input={"to": "left"})) == "SUCCESS"
    waits = api.begin("wf", input={"to": "big"})
    cluster.start("executor", "--name", "right", "--labels", "big,blue")
    assert api.ended(waits) == "SUCCESS"
