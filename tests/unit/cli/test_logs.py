import io
import json
import logging

import pytest
import structlog

from ostro.cli.logs import JsonFormatter, TextFormatter, configure, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2 next", "password=*** next"),
        ('{"auth_token": "abc", "a": 1}', '{"auth_token": ***, "a": 1}'),
        ("{'X-Api-Key': 'abc', 'b': 2}", "{'X-Api-Key': ***, 'b': 2}"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sqlite://me:pass@host/db", "sqlite://me:***@host/db"),
        ("nothing to hide: 1", "nothing to hide: 1"),
    ],
)
def test_secrets_are_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


def logged(formatter: logging.Formatter, message: str, *parts: object, **extra: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("ostro.test")
    logger.addHandler(handler)
    logger.warning(message, *parts, extra=extra)
    return stream.getvalue()


def test_a_json_line_has_time_level_logger_event_and_extras() -> None:
    entry = json.loads(logged(JsonFormatter(), "took %d s", 3, execution="e1", token="t0ps3cret"))
    assert entry["event"] == "took 3 s"
    assert entry["level"] == "warning"
    assert entry["logger"] == "ostro.test"
    assert entry["execution"] == "e1"
    assert entry["token"] == "***"
    assert json.loads(logged(JsonFormatter(), "password=x {'a': 1}"))["event"] == "password=*** {'a': 1}"
    assert entry["time"].endswith("+00:00")


def test_a_text_line_is_for_people_and_colour_is_for_terminals() -> None:
    plain = logged(TextFormatter(colour=False), "took %d s", 3, execution="e1")
    assert plain.rstrip().endswith("warning took 3 s  execution=e1")
    assert "\x1b" not in plain
    assert "\x1b[33m" in logged(TextFormatter(colour=True), "careful")


def test_structlog_and_the_standard_library_write_alike() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure("info", "json", stream)
        structlog.get_logger("ostro.engine").warning("a commit failed", trees=3, exc_info=ValueError("full"))
        logging.getLogger("ostro.engine").warning("a commit failed", extra={"trees": 3})
        structlog.get_logger("ostro.engine").debug("not this")
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
        logging.captureWarnings(False)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert "ValueError: full" in first.pop("exception")
    assert first.pop("time") <= second.pop("time")
    assert first == second
