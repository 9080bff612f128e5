from pathlib import Path

import pytest

from ostro.cli import serve
from ostro.config import Settings


@pytest.mark.parametrize(
    ("roles", "is_told"),
    [(("api", "engine", "executor"), True), (("api",), True), (("engine",), False), (("executor", "engine"), False)],
)
def test_only_who_serves_the_page_says_that_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, roles: tuple[str, ...], is_told: bool
) -> None:
    monkeypatch.setattr(serve, "PAGE", tmp_path)
    assert ("was not built" in serve.missing_page(Settings(roles=roles))) is is_told


def test_nothing_is_told_about_a_page_that_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    monkeypatch.setattr(serve, "PAGE", tmp_path)
    assert serve.missing_page(Settings()) == ""
