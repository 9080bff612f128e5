"""Schemathesis sends every operation of the OpenAPI document what fits its schema, and what does not."""

import httpx
import pytest
import schemathesis
from hypothesis import given
from schemathesis import GenerationMode

from tests.robustness.conftest import Watched, bounded

# Asked for with generated names they only list the server's own rows; `/metrics` and pages have no JSON.
_FEW = 6  # examples for each operation


def operations(url: str) -> list[schemathesis.APIOperation]:
    document = httpx.get(f"{url}/openapi.json", trust_env=False).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = url
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fits", "does-not-fit"])
def test_no_request_makes_the_server_fail(watched: Watched, mode: GenerationMode) -> None:
    count = 0
    for operation in operations(watched.server.url):
        if "text/event-stream" in str(operation.definition.raw["responses"]):
            continue  # has no end; tests/e2e/test_stream.py sends it what it does not expect
        if mode is GenerationMode.NEGATIVE and not operation.body and not operation.query:
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @bounded(_FEW)
        def send(case: schemathesis.Case) -> None:
            nonlocal count
            answer = case.call(timeout=60)
            count += 1
            assert answer.status_code < 500, (answer.status_code, answer.text)

        send()
    assert count > 100
