"""The page of figures, its catalogue, and its page in the documentation."""

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ostro.adapters.telemetry import Metrics
from ostro.adapters.telemetry.catalogue import FIGURES, Figure
from ostro.model.figures import Histogram

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text()


async def _counts() -> dict[str, dict[str, int]]:
    return {"tasks": {"RUNNING": 3}}


async def shown(readings: dict[str, Any]) -> dict[str, float]:
    text = (await Metrics(lambda: readings, _counts).render()).decode()
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sample.labels.items()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("ostro_")
    }


async def test_numbers_labels_and_unfinished_work_are_on_the_page() -> None:
    page = await shown({"steps": 7, "ended": {("tasks", "SUCCESS"): 2}})
    assert page == {
        "ostro_unfinished kind=tasks state=RUNNING": 3,
        "ostro_ended_total kind=tasks state=SUCCESS": 2,
        "ostro_steps_total": 7,
    }


async def test_buckets_of_a_histogram_add_up() -> None:
    histogram = Histogram((1, 10))
    for value in (0.5, 1, 5, 100):
        histogram.observe(value)
    page = await shown({"commit_rows": histogram})
    assert [page[f"ostro_commit_rows_bucket le={bound}"] for bound in ("1.0", "10.0", "+Inf")] == [2, 3, 4]
    assert (page["ostro_commit_rows_sum"], page["ostro_commit_rows_count"]) == (106.5, 4)


async def test_a_figure_that_is_not_in_the_catalogue_is_an_error() -> None:
    with pytest.raises(KeyError, match="surprise"):
        await shown({"surprise": 1})


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_metric_is_documented(figure: Figure) -> None:
    labels = ", ".join(f"`{label}`" for label in figure.labels)
    assert f"| `{figure.shown}` | {figure.kind} | {labels} | {figure.text} |\n" in PAGE


def test_no_other_metrics_are_documented() -> None:
    assert set(re.findall(r"^\| `(ostro_\w+)`", PAGE, re.MULTILINE)) == {figure.shown for figure in FIGURES}
