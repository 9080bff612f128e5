"""What holds for every route: hosts, origins, sizes, media types, paths, methods, the server's own pages."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ostro.api import ApiSettings
from ostro.model.errors import StoreError
from tests.unit.api.fakes import FakeEngine, FakeStore, execution

START = {"workflow_name": "w"}


def _references(value: Any) -> set[str]:
    """All `$ref` of a document."""
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if "$ref" in value else set()
    return own.union(*map(_references, value.values()))


class TestHosts:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(public_hosts=("ostro.example.com",))

    @pytest.mark.parametrize(
        "host",
        ["localhost", "localhost:8989", "app.localhost", "127.0.0.1:1", "127.9.9.9", "[::1]:8989", "OSTRO.example.com"],
    )
    async def test_own_names(self, client: httpx.AsyncClient, host: str) -> None:
        assert (await client.get("/v2/", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize(
        "host", ["evil.example.com", "10.0.0.1:8989", "localhost.evil.com", "notlocalhost", "127.0.0.1.nip.io", ""]
    )
    async def test_foreign_names(self, client: httpx.AsyncClient, host: str) -> None:
        answer = await client.get("/v2/", headers={"Host": host})
        assert answer.status_code == 403
        assert "host name" in answer.json()["faultstring"]


class TestInsecure:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(insecure=True)

    async def test_any_host_but_no_foreign_page(self, client: httpx.AsyncClient, engine: FakeEngine) -> None:
        assert (await client.get("/v2/", headers={"Host": "anything"})).status_code == 200
        headers = {"Host": "anything", "Origin": "http://other"}
        assert (await client.post("/v2/executions", json=START, headers=headers)).status_code == 403


class TestOrigins:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(allowed_origins=("https://ui.example.com",))

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 201),
            ({"Origin": "http://127.0.0.1:8989", "Sec-Fetch-Site": "same-origin"}, 201),
            ({"Origin": "https://ui.example.com", "Sec-Fetch-Site": "cross-site"}, 201),
            ({"Sec-Fetch-Site": "none"}, 201),
            ({"Origin": "http://127.0.0.1:3000"}, 403),
            ({"Origin": "https://127.0.0.1:8989"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "https://evil.example.com"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
        ],
    )
    async def test_unsafe_methods(
        self, client: httpx.AsyncClient, engine: FakeEngine, headers: dict[str, str], status: int
    ) -> None:
        engine.replies = [(execution(), True)]
        answer = await client.post("/v2/executions", json=START, headers=headers)
        assert answer.status_code == status
        assert len(engine.commands) == (status == 201)

    async def test_reading_is_left_to_the_browser(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v2/", headers={"Origin": "https://evil.example.com"})
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        answer = await client.get("/v2/", headers={"Origin": "https://ui.example.com"})
        assert answer.headers["access-control-allow-origin"] == "https://ui.example.com"


class TestSizes:
    @pytest.fixture
    def settings(self) -> ApiSettings:
        return ApiSettings(max_body_bytes=1000)

    async def test_a_large_body(self, client: httpx.AsyncClient, engine: FakeEngine) -> None:
        answer = await client.post("/v2/executions", json={"description": "x" * 1000})
        assert answer.status_code == 413
        assert answer.json()["faultstring"] == "The request body is larger than 1000 bytes."

    async def test_a_large_body_that_does_not_say_so(self, client: httpx.AsyncClient, engine: FakeEngine) -> None:
        async def parts() -> AsyncIterator[bytes]:
            yield b'{"description": "'
            for _ in range(20):
                yield b"x" * 100

        headers = {"Content-Type": "application/json"}
        answer = await client.post("/v2/executions", content=parts(), headers=headers)
        assert answer.status_code == 413
        assert engine.commands == []


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml; charset=utf-8", "application/soap+xml"])
@pytest.mark.parametrize("path", ["/v2/executions", "/v2/workflows"])
async def test_no_xml(client: httpx.AsyncClient, media_type: str, path: str) -> None:
    answer = await client.post(path, content="<a/>", headers={"Content-Type": media_type})
    assert answer.status_code == 415
    assert answer.headers["server-error-message"] == "XML request bodies are not supported."
    assert (await client.get("/v2/", headers={"Accept": "application/xml"})).json()["uri"]


async def test_json_resources_want_json(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    answer = await client.post("/v2/executions", content="{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["faultstring"] == "Unknown mimetype: text/plain"
    assert answer.headers["server-error-message"] == "Unknown mimetype: text/plain"
    engine.replies = [(execution(), True)]
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert (await client.post("/v2/executions", content=json.dumps(START), headers=headers)).status_code == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{broken", "Request is not in valid JSON format"),
        (b'{"input": {"a": NaN}}', "Request is not in valid JSON format"),
        (b'{"input": {"a": 1e999}}', "Request is not in valid JSON format"),
        (b'{"description": "\xff"}', "Request is not in valid JSON format"),
        (b'{"description": "\\ud800"}', "Request is not in valid JSON format"),
        (b'{"input": ' + b"[" * 100_000, "Request is nested too deeply"),
        (b"[]", "Request must be a JSON dict"),
        (b'"x"', "Request must be a JSON dict"),
        (b'"' + b"[" * 600 + b'"', "Request must be a JSON dict"),
        (b"", 'Missing argument: "wf_ex"'),
        (b" \n", 'Missing argument: "wf_ex"'),
    ],
)
async def test_bodies_that_are_no_json_object(client: httpx.AsyncClient, body: bytes, message: str) -> None:
    answer = await client.post("/v2/executions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["faultstring"] == message


@pytest.mark.parametrize(("depth", "status"), [(490, 201), (501, 400), (900, 400)])
@pytest.mark.parametrize("as_text", [False, True])
async def test_depth_is_bounded(
    client: httpx.AsyncClient, engine: FakeEngine, depth: int, status: int, as_text: bool
) -> None:
    engine.replies = [(execution(), True)]
    input = '{"a":' + "[" * depth + "]" * depth + "}"
    body = '{"workflow_name": "w", "input": ' + (json.dumps(input) if as_text else input) + "}"
    answer = await client.post("/v2/executions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert ("nested too deeply" in answer.text) == (status == 400)


async def test_many_brackets_are_not_depth(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.replies = [(execution(), True)]
    body = {"workflow_name": "w", "input": {"rows": [{"cells": [n]} for n in range(2000)]}}
    assert (await client.post("/v2/executions", json=body)).status_code == 201


@pytest.mark.parametrize("path", ["/nothing", "/v2/nothing", "/v4", "/v2/executions/e1/nothing", "/V2/executions"])
async def test_unknown_paths(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["faultstring"] == f"Nothing is at {path}."


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/v2/workflows", "GET, HEAD, POST, PUT"),
        ("POST", "/v2/workflows/foo", "DELETE, GET, HEAD, PUT"),
        ("GET", "/v2/workbooks/validate/x", None),
        ("POST", "/v2/services", "GET, HEAD"),
    ],
)
async def test_methods(client: httpx.AsyncClient, method: str, path: str, allow: str | None) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == (404 if allow is None else 405)
    assert answer.headers.get("allow") == allow
    assert "faultstring" in answer.json()


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("DELETE", "workflows", "identifier"),
        ("DELETE", "actions", "identifier"),
        ("DELETE", "workbooks", "name"),
        ("DELETE", "environments", "name"),
        ("DELETE", "executions", "id"),
        ("PUT", "executions", "id"),
        ("PUT", "tasks/", "id"),
        ("PUT", "action_executions", "id"),
    ],
)
async def test_a_missing_identifier(client: httpx.AsyncClient, method: str, path: str, name: str) -> None:
    answer = await client.request(method, f"/v2/{path}")
    assert answer.status_code == 400
    assert answer.json()["faultstring"] == f'Missing argument: "{name}"'


async def test_the_version_may_be_left_out(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution()]
    assert (await client.get("/executions/e1")).json() == (await client.get("/v2/executions/e1")).json()
    assert (await client.get("/executions/e9/nothing")).status_code == 404


async def test_head_is_get_without_the_body(client: httpx.AsyncClient, store: FakeStore) -> None:
    store.executions = [execution()]
    head, get = await client.head("/v2/executions/e1"), await client.get("/v2/executions/e1")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]


class TestServer:
    async def test_versions_for_clients_a_page_for_people(self, client: httpx.AsyncClient) -> None:
        link = {"href": "http://127.0.0.1:8989/v2", "target": "v2", "rel": "self"}
        answer = await client.get("/")
        assert answer.json() == {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}
        page = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "1.2.3" in page.text
        assert 'href="/docs"' in page.text
        assert "http://127.0.0.1:8989/v2/workflows" in page.text

    async def test_the_page_shows_the_host_as_text(self, client: httpx.AsyncClient) -> None:
        headers = {"Accept": "text/html", "Host": "localhost:<script>"}
        assert "<script" not in (await client.get("/", headers=headers)).text

    async def test_v2(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v2")
        assert answer.status_code == 302
        assert answer.headers["location"] == "http://127.0.0.1:8989/v2/"
        assert (await client.get("/v2/")).json() == {"uri": "http://127.0.0.1:8989/v2"}

    async def test_info_is_off(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/info")
        assert answer.status_code == 400
        assert answer.json() == {"faultstring": "Info endpoint disabled."}
        assert (await client.get("/maintenance")).json() == {"status": "RUNNING"}

    async def test_health(self, client: httpx.AsyncClient, store: FakeStore) -> None:
        answer = await client.get("/healthcheck")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        store.health = StoreError("disk full at /secret/place")
        answer = await client.get("/healthcheck")
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        assert "/secret/place" not in answer.text

    async def test_the_document_describes_every_route(self, client: httpx.AsyncClient) -> None:
        document = (await client.get("/openapi.json")).json()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                about = f"{method} {path}"
                assert operation["summary"], about
                assert operation["responses"], about
                takes_body = method in ("post", "put", "patch") and not path.endswith("/restore")
                assert takes_body == ("requestBody" in operation), about
        assert _references(document) <= {f"#/components/schemas/{n}" for n in document["components"]["schemas"]}
        assert set(document["paths"]["/v2/executions"]) == {"get", "post"}
        names = {p["name"] for p in document["paths"]["/v2/executions"]["get"]["parameters"]}
        assert {"marker", "limit", "fields", "state", "nulls", "include_output"} <= names
        page = (await client.get("/docs")).text
        for path in document["paths"]:
            assert path in page
        assert "<script" not in page
        assert "http://" not in page.replace("http://127.0.0.1", "")


async def _up() -> bytes:
    return b"up 1\n"


async def _services() -> list[dict[str, str]]:
    kinds = {"b_2": "engine_group", "b_1": "engine_group", "z_1": "api_group"}
    return [{"name": name, "type": kind} for name, kind in kinds.items()]


class TestSources:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> ApiSettings:
        file = tmp_path / "info.json"
        file.write_text('{"build": 7}')
        return ApiSettings(
            info_file=str(file),
            metrics=_up,
            services=_services,
        )

    async def test_what_the_composition_root_supplies(self, client: httpx.AsyncClient, tmp_path: Path) -> None:
        assert (await client.get("/info")).json() == {"build": 7}
        (tmp_path / "info.json").unlink()
        assert (await client.get("/info")).json() == {"faultstring": "Incorrect path to info json file."}
        metrics = await client.get("/metrics")
        assert metrics.text == "up 1\n"
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        names = [service["name"] for service in (await client.get("/v2/services")).json()["services"]]
        assert names == ["z_1", "b_1", "b_2"]
