"""What a running server tells of itself, after work that is known."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ostro.adapters.telemetry.catalogue import FIGURES
from tests.e2e.test_serve import start, upload

WORK = """version: '2.0'
counted:
  tasks:
    good: {action: std.noop, on-success: [late, bad]}
    late: {action: std.noop, wait-before: 1}
    bad: {action: std.fail, on-error: waits}
    waits: {action: std.async_noop}
"""


def page(client: httpx.Client) -> dict[str, float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_follow_the_work(client: httpx.Client) -> None:
    upload(client, WORK)
    id = start(client, "counted", wait=2)["id"]
    figures = page(client)
    assert figures["ostro_started_total executions"] == 1
    assert figures["ostro_started_total tasks"] == 4
    assert figures["ostro_ended_total tasks SUCCESS"] == 2
    assert figures["ostro_ended_total tasks ERROR"] == 1
    assert figures["ostro_unfinished executions RUNNING"] == 1
    assert figures["ostro_unfinished actions RUNNING"] == 1
    assert figures["ostro_timer_lag_seconds_count"] == 1
    assert figures["ostro_commit_seconds_count"] == figures["ostro_commit_rows_count"] > 1
    assert figures["ostro_http_requests_total POST /v2/executions 201"] == 1
    assert client.put(f"/v2/executions/{id}", json={"state": "CANCELLED"}).status_code == 200
    assert client.get("/v2/executions/nothing").status_code == 404
    figures = page(client)
    assert figures["ostro_ended_total executions CANCELLED"] == 1
    assert figures["ostro_http_requests_total GET /v2/executions/{id} 404"] == 1
    assert "ostro_unfinished executions RUNNING" not in figures


def test_a_running_server_has_every_figure_of_the_catalogue(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    assert [figure.shown for figure in FIGURES if f"# TYPE {figure.shown.removesuffix('_total')}" not in text] == []
