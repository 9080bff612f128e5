"""Limits of a cluster: they hold over all its engines together, also while engines die, leave and come."""

import psycopg
import pytest

from tests.e2e.cluster import Api, Cluster, until

SHARDS = 256
SLACK = 50_000  # microseconds by which clocks of processes may differ; what runs at the same time does so for longer
TEXT = """
version: '2.0'
one:
  tasks:
    a: {action: std.javascript script='return 1', on-success: b}
    b: {action: std.noop, wait-before: 1, on-success: c}
    c: {action: std.javascript script='return 1'}
quick: {tasks: {a: {action: std.javascript script='return 1'}}}
many:
  tasks:
    a:
      with-items: i in <% range(8) %>
      action: std.javascript
      input: {script: 'const end = Date.now() + 100; while (Date.now() < end) {}; return 1'}
"""


def spans(url: str, sql: str) -> list[tuple[int, int]]:
    """From when until when each of some things ran."""
    with psycopg.connect(url) as connection:
        return [(begin, max(begin, end - SLACK)) for begin, end in connection.execute(sql).fetchall()]


def most_at_once(of: list[tuple[int, int]]) -> int:
    found = running = 0
    for _, change in sorted([(begin, 1) for begin, _ in of] + [(end, -1) for _, end in of]):
        running += change
        found = max(found, running)
    return found


EXECUTIONS = (
    "SELECT (SELECT min(created_at) FROM tasks WHERE execution_id = e.id), e.finished_at FROM executions e"
    " WHERE workflow_name = 'one'"
)
ACTIONS = "SELECT taken_at, updated_at FROM actions WHERE workflow_name = 'many'"


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_one_at_a_time_also_while_an_engine_goes_and_comes(cluster: Cluster, how: str) -> None:
    limit = ("--execution-limits", "*/one=1")
    engines = [cluster.start("engine", *limit) for _ in range(2)]
    cluster.start("executor")
    api = Api(cluster.start("api").url)
    api.upload(TEXT)
    shares = [Api(engine.url) for engine in engines]
    until(lambda: [share.shards() for share in shares] == [SHARDS // 2] * 2, "equal shares")
    ids = [api.begin("one") for _ in range(10)]
    assert api.ended(api.begin("quick")) == "SUCCESS"  # which has no limit
    until(lambda: api.execution(ids[1])["state"] == "SUCCESS", "the first two")
    if how == "kill":
        engines[0].kill()
    else:
        assert engines[0].stop() == 0
    until(lambda: shares[1].shards() == SHARDS, "the other to own all")
    ids += [api.begin("one") for _ in range(2)]
    engines[0].start()
    assert [api.ended(id) for id in ids] == ["SUCCESS"] * len(ids)
    found = spans(cluster.database, EXECUTIONS)
    assert len(found) == len(ids)
    assert most_at_once(found) == 1


def test_actions_of_all_engines_together(cluster: Cluster) -> None:
    limit = ("--action-limits", "*/many=3")
    engines = [cluster.start("engine", *limit) for _ in range(2)]
    cluster.start("executor")
    api = Api(cluster.start("api").url)
    api.upload(TEXT)
    shares = [Api(engine.url) for engine in engines]
    until(lambda: [share.shards() for share in shares] == [SHARDS // 2] * 2, "equal shares")
    ids = [api.begin("many") for _ in range(6)]
    until(lambda: len(spans(cluster.database, f"{ACTIONS} AND state = 'SUCCESS'")) > 4, "some actions")
    engines[1].kill()
    assert [api.ended(id) for id in ids] == ["SUCCESS"] * len(ids)
    found = spans(cluster.database, ACTIONS)
    assert len(found) == 8 * len(ids)
    assert most_at_once(found) <= 3
