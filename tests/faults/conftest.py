"""Where PostgreSQL or NATS are missing these tests are skipped, and say so; with CI set they must run."""

import os

import pytest

from tests.faults.servers import missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lacking = missing()
    if lacking and not os.environ.get("CI"):
        for item in items:
            if "faults" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=f"not on this machine: {lacking}"))
