import stat
from pathlib import Path

import pytest

from ostro.cli.contexts import DEFAULT_URL, Context, Contexts, load, place, save, target
from ostro.model.errors import InvalidInput

ODD = 'a "quoted" näme\\ with.dots and \x7f'


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    stored = Contexts(
        current="prod", by_name={"prod": Context("https://prod", "t-prod"), "test": Context("https://test", "t-test")}
    )
    variables = {"HOME": str(tmp_path)}
    save(place(variables), stored)
    return variables


def aimed(variables: dict[str, str], **options: str | None) -> tuple[str, str]:
    found = target(variables, **{"url": None, "context": None, "token_file": None, **options})
    return found.url, found.token


def test_what_is_written_is_read_again_and_nobody_else_may(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "contexts.toml"
    stored = Contexts(ODD, {ODD: Context("https://x", ODD, "/ca.pem"), "b": Context("http://y")})
    save(file, stored)
    assert load(file) == stored
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["contexts.toml"], "no scratch file is left"


def test_a_file_that_others_may_read_is_refused(home: dict[str, str]) -> None:
    place(home).chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        load(place(home))


@pytest.mark.parametrize("text", ["not toml", '[contexts.a]\ntoken = "x"\n'])
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "contexts.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(InvalidInput, match=r"contexts\.toml"):
        load(file)


def test_the_nearest_word_decides_which_server(home: dict[str, str]) -> None:
    assert aimed({"HOME": "/nowhere"}) == (DEFAULT_URL, "")
    assert aimed(home) == ("https://prod", "t-prod")
    assert aimed(home | {"OSTRO_CONTEXT": "test"}) == ("https://test", "t-test")
    assert aimed(home | {"OSTRO_URL": "https://env"}) == ("https://env", "")
    assert aimed(home | {"OSTRO_URL": "https://env"}, context="test") == ("https://test", "t-test")
    assert aimed(home | {"OSTRO_URL": "https://env"}, url="https://option") == ("https://option", "")


def test_a_token_that_is_given_goes_before_the_stored_one(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t-file\n")
    assert aimed(home | {"OSTRO_TOKEN": "t-env"}) == ("https://prod", "t-env")
    assert aimed(home | {"OSTRO_TOKEN": "t-env"}, token_file=str(tmp_path / "token")) == ("https://prod", "t-file")


@pytest.mark.parametrize(
    "options", [{"context": "other"}, {"url": "https://x", "context": "test"}, {"token_file": "/no/such/file"}]
)
def test_mistakes_are_sentences(home: dict[str, str], options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        aimed(home, **options)


def test_tokens_are_in_no_repr(home: dict[str, str]) -> None:
    shown = repr(load(place(home))) + repr(target(home, url=None, context=None, token_file=None))
    assert "t-prod" not in shown and "t-test" not in shown


def test_removing_the_one_in_use_leaves_none_in_use(home: dict[str, str]) -> None:
    left = load(place(home)).without("prod")
    assert (left.current, set(left.by_name)) == ("", {"test"})
