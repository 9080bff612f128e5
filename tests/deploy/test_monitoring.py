"""The dashboard and the alert rules ask for figures that exist, by labels that these have."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.files import DEPLOY, ROOT, alerts, dashboard, judged
from tests.docs.pages import blocks

PROMTOOL = ("promtool", "Debian: apt-get install prometheus")
OF_PROMETHEUS = ("up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds")  # no labels
ALWAYS = {"instance", "job"}  # Prometheus adds them
_ROW = re.compile(r"^\| `(ostro_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
_USE = re.compile(r"\b((?:ostro|process)_\w+|up)\b(?:\{([^}]*)\})?")
_PARTS = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}


def known(page: Path = ROOT / "docs" / "reference" / "metrics.md") -> dict[str, set[str]]:
    """Name of a series -> its labels, as the reference lists them (which a test holds to the code)."""
    found = {name: set[str]() for name in OF_PROMETHEUS}
    for name, kind, labels in _ROW.findall(page.read_text()):
        for suffix in _PARTS[kind]:
            found[name + suffix] = set(re.findall(r"`(\w+)`", labels)) | ({"le"} if suffix == "_bucket" else set())
    return found


def unknown(expression: str) -> list[str]:
    """What an expression asks for that does not exist."""
    series = known()
    problems = []
    grouping: set[str] = set()
    for names in re.findall(r"\bby \(([^)]*)\)", expression):
        grouping |= {name.strip() for name in names.split(",")}
    plain = re.sub(r"\bby \([^)]*\)", "", expression)
    possible = set(ALWAYS)
    for name, matchers in _USE.findall(plain):
        if name not in series:
            problems.append(name)
            continue
        possible |= series[name]
        problems += [
            label for label in re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers) if label not in series[name] | ALWAYS
        ]
    return problems + sorted(grouping - possible)


def test_figures_and_labels_that_do_not_exist_are_found() -> None:
    assert unknown('sum by (state) (rate(ostro_ended_total{kind="tasks"}[5m]))') == []
    assert unknown("rate(ostro_commit_seconds_bucket[5m])") == []
    assert unknown("ostro_invented") == ["ostro_invented"]
    assert unknown('ostro_steps_total{kind="x"}') == ["kind"]
    assert unknown("sum by (route) (ostro_steps_total)") == ["route"]
    assert unknown("ostro_commit_seconds") == ["ostro_commit_seconds"]


def targets() -> list[tuple[str, str]]:
    return [(panel["title"], target["expr"]) for panel in dashboard()["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize(("title", "expression"), targets())
def test_a_panel_asks_for_what_exists(title: str, expression: str) -> None:
    assert _USE.search(expression), title
    assert unknown(expression) == []


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_exists_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert _USE.search(rule["expr"])
    assert unknown(rule["expr"]) == []
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    assert rule["annotations"]["summary"] and rule["annotations"]["action"]
    assert re.fullmatch(r"\d+m", rule["for"])


def test_alerts_are_raised_when_they_should_and_only_then(tmp_path: Path) -> None:
    """By Prometheus' own program, with made-up figures."""
    shutil.copy(DEPLOY / "monitoring" / "alerts.yaml", tmp_path)
    shutil.copy(Path(__file__).with_name("alerts_test.yaml"), tmp_path)
    judged(*PROMTOOL, "check", "rules", "alerts.yaml", folder=tmp_path)
    judged(*PROMTOOL, "test", "rules", "alerts_test.yaml", folder=tmp_path)


def test_prometheus_takes_the_configuration_of_the_page(tmp_path: Path) -> None:
    (text,) = [one.text for one in blocks(ROOT / "docs" / "how-to" / "deploy.md") if "scrape_configs" in one.text]
    (tmp_path / "prometheus.yaml").write_text(text)
    shutil.copy(DEPLOY / "monitoring" / "alerts.yaml", tmp_path)
    judged(*PROMTOOL, "check", "config", "--syntax-only", "prometheus.yaml", folder=tmp_path)


def test_every_figure_of_the_reference_is_on_the_dashboard() -> None:
    text = " ".join(expression for _, expression in targets())
    missing = {name for name, _, _ in _ROW.findall((ROOT / "docs" / "reference" / "metrics.md").read_text())}
    missing = {name for name in missing if not re.search(rf"\b{name}(_bucket|_count|_sum)?\b", text)}
    assert missing <= {"ostro_expression_fallbacks", "ostro_timers_ahead", "ostro_commit_trees", "ostro_commit_rows"}


def test_panels_lie_side_by_side() -> None:
    places: set[tuple[int, int]] = set()
    ids = set()
    for panel in dashboard()["panels"]:
        ids.add(panel["id"])
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places
        assert at["x"] + at["w"] <= 24
        places |= cells
    assert len(ids) == len(dashboard()["panels"])
