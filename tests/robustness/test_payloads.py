"""Bodies that no client of good will sends."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.robustness.conftest import Watched, bounded

JSON = {"Content-Type": "application/json"}
ROUTES = (
    ("POST", "/v2/executions"),
    ("PUT", "/v2/executions/no-such-id"),
    ("PUT", "/v2/tasks/no-such-id"),
    ("POST", "/v2/action_executions"),
    ("PUT", "/v2/action_executions/no-such-id"),
    ("POST", "/v2/environments"),
    ("PUT", "/v2/environments"),
)
NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-0", "9" * 30, "9" * 20_000, "1.0000000000000000000001", "0x1"]
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["\0", "\ud800", "\udfff\ud800", "\uffff", "\U0010ffff", "a" * 100_000, "<% $.x %>", "{{ _.x }}"]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "name",
        "id",
        "workflow_name",
        "workflow_id",
        "input",
        "params",
        "description",
        "state",
        "output",
        "env",
        "reset",
        "variables",
        "scope",
        "source_execution_id",
        "workflow_namespace",
        "state_info",
        "extra",
    ]
)


def nested(depth: int, shape: str = "list") -> bytes:
    return b"[" * depth + b"]" * depth if shape == "list" else b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_any_document_is_answered_with_an_answer(watched: Watched, method: str, path: str) -> None:
    @given(st.dictionaries(NAMES, VALUES, max_size=6) | VALUES)
    @bounded(30)
    def send(document: Any) -> None:
        body = json.dumps(document).encode()
        assert watched.client.request(method, path, content=body, headers=JSON).status_code < 500

    send()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_any_bytes_are_answered_with_an_answer(watched: Watched, method: str, path: str) -> None:
    @given(st.binary(max_size=200))
    @example(b'{"name": "\xff"}')
    @example(b'{"name": "\\ud800"}')
    @example(b'{"name": "x", "input": ' + nested(100_000) + b"}")
    @example(b'{"name": "x", "input": ' + nested(100_000, "map") + b"}")
    @example(b'{"input": ' * 100_000)
    @bounded(20)
    def send(body: bytes) -> None:
        answer = watched.client.request(method, path, content=body, headers=JSON)
        assert 400 <= answer.status_code < 500, (body[:80], answer.status_code)
        assert "faultstring" in answer.json()

    send()


@pytest.mark.parametrize("number", NUMBERS, ids=[number[:10] for number in NUMBERS])
def test_numbers_come_back_or_are_refused(watched: Watched, number: str) -> None:
    body = (
        f'{{"name": "std.echo", "input": {{"output": {number}}}, "params": {{"save_result": true, "run_sync": true}}}}'
    )
    answer = watched.client.post("/v2/action_executions", content=body, headers=JSON)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        again = watched.client.get(f"/v2/action_executions/{answer.json()['id']}").json()
        assert float(json.loads(again["output"])["result"]) == pytest.approx(float(number))


@given(path=TEXTS, field=TEXTS, value=TEXTS)
@bounded(60)
def send_names(watched: Watched, path: str, field: str, value: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in path.encode("utf-8", "surrogatepass")[:500])
    wanted = "".join(f"%{byte:02x}" for byte in value.encode("utf-8", "surrogatepass")[:500])
    name = "".join(f"%{byte:02x}" for byte in field.encode("utf-8", "surrogatepass")[:100])
    for route in (
        "/v2/workflows/{}",
        "/v2/executions/{}",
        "/v2/tasks/{}/workflow_executions",
        "/v2/environments/{}",
        "/{}",
    ):
        answer = watched.client.get(route.format(quoted))
        assert answer.status_code < 500, (route, path)
    for route in ("/v2/executions", "/v2/workflows", "/v2/action_executions"):
        for query in (
            f"{name}={wanted}",
            f"name={wanted}",
            f"created_at={wanted}",
            f"marker={wanted}",
            f"tags=has:{wanted}",
        ):
            answer = watched.client.get(f"{route}?{query}")
            assert answer.status_code < 500, (route, query)


def test_any_name_in_paths_and_queries(watched: Watched) -> None:
    send_names(watched)


@pytest.mark.parametrize("value", ["-1", "0", "1e9", "99999999999999999999999999", "x", "", "\u0663", "1;drop"])
def test_limits_and_depths_of_any_kind(watched: Watched, value: str) -> None:
    for route in ("/v2/executions", "/v2/actions", "/v2/tasks"):
        assert watched.client.get(route, params={"limit": value}).status_code in (200, 400)
    assert watched.client.get("/v2/executions/x/report", params={"max_depth": value}).status_code in (400, 404)
