"""Something of everything: what runs, failed, waits for somebody, is due."""

import httpx

WORKFLOWS = """
version: '2.0'
nightly-backup:
  tags: [ops, nightly]
  tasks:
    dump: {action: std.noop, on-success: upload}
    upload: {action: std.fail, input: {error_data: "disk full on backup-03: 0 bytes left"}}
import-orders:
  tags: [shop]
  input: [region: eu]
  tasks:
    fetch: {action: std.noop, on-success: store}
    store: {action: std.noop}
approve-refund:
  tags: [shop]
  tasks:
    ask: {action: std.async_noop, on-success: pay}
    pay: {action: std.noop}
resize-images:
  tasks:
    rest: {action: std.noop, wait-before: 3600}
"""


def start(client: httpx.Client, workflow: str, **fields: object) -> str:
    """Start a workflow; the execution's id."""
    answer = client.post("/v2/executions", json={"workflow_name": workflow, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def seed(client: httpx.Client, batches: int = 30) -> None:
    made = client.post("/v2/workflows", content=WORKFLOWS.encode(), headers={"Content-Type": "text/plain"})
    assert made.status_code == 201, made.text
    for number in range(batches):
        start(client, "import-orders", description=f"batch {number + 1} of {batches}")
    for _ in range(3):
        start(client, "nightly-backup")
    start(client, "approve-refund", description="order 1831, 49.90 EUR")
    for gallery in ("spring", "summer"):
        start(client, "resize-images", description=f"gallery of {gallery}")
    paused = start(client, "resize-images", description="gallery of autumn")
    cancelled = start(client, "resize-images", description="gallery of winter")
    for id, state in ((paused, "PAUSED"), (cancelled, "CANCELLED")):
        assert client.put(f"/v2/executions/{id}", json={"state": state}).status_code == 200
    workflow = client.get("/v2/workflows/import-orders").json()["id"]
    bodies = {
        "cron_triggers": {
            "name": "backup",
            "workflow_name": "nightly-backup",
            "pattern": "30 2 * * *",
            "time_zone": "Europe/Berlin",
        },
        "event_triggers": {
            "name": "on-paid",
            "workflow_id": workflow,
            "exchange": "shop",
            "topic": "orders",
            "event": "order.paid",
            "workflow_input": {"region": "<% $.payload.region %>"},
        },
        "environments": {"name": "production", "description": "the real one", "variables": {"region": "eu"}},
    }
    for collection, body in bodies.items():
        assert client.post(f"/v2/{collection}", json=body).status_code == 201, collection
    assert client.put("/v2/secrets/smtp_password", json={"value": "correct horse"}).status_code == 201
