"""Settings of triggers, notifications and upkeep that are more than one value."""

from pathlib import Path
from typing import Any

import pytest

from ostro.app_duties import duty_settings, read_event_secret, read_publishers
from ostro.config import ConfigError, Settings
from ostro.engine.retention import Keep


def test_limits_of_projects() -> None:
    settings = Settings(
        expiration_interval=60.0,
        expiration_older_than=5.0,
        expiration_projects=("audit=/", "ci=60/100", "a=b=/7"),
        expiration_ignored_states=("ERROR",),
    )
    retention = duty_settings(settings).retention
    assert retention.keep == Keep(minutes=5.0)
    assert retention.projects == {"audit": Keep(), "ci": Keep(minutes=60.0, most=100), "a=b": Keep(most=7)}
    assert retention.states == ("SUCCESS", "CANCELLED")
    assert retention.is_on


def test_nothing_expires_unless_told() -> None:
    assert not duty_settings(Settings()).retention.is_on


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"expiration_ignored_states": ("RUNNING",)}, "only SUCCESS, ERROR, CANCELLED"),
        ({"expiration_projects": ("ci",)}, "'ci' is not PROJECT=MINUTES/NUMBER"),
        ({"expiration_projects": ("ci=x/1",)}, "'ci=x/1' is not"),
        ({"event_definitions": "/none"}, "--event-definitions /none cannot be read"),
    ],
)
def test_settings_that_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        duty_settings(Settings(**given))


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("- {event_types: 'a.*', properties: {x: 1}}")
    (definition,) = duty_settings(Settings(event_definitions=str(file))).event_definitions
    assert definition.matches("a.b")
    file.write_text('[{"type": "noop"}]')
    assert read_publishers(Settings(notify=str(file))) == ({"type": "noop"},)
    file.write_text(" s3cret\n")
    assert read_event_secret(Settings(event_secret_file=str(file))) == "s3cret"
    for broken in ("", "{}"):
        file.write_text(broken)
        with pytest.raises(ConfigError):
            read_publishers(Settings(notify=str(file)))
    file.write_text("")
    with pytest.raises(ConfigError, match="is empty"):
        read_event_secret(Settings(event_secret_file=str(file)))
    file.write_text("- {event_types: [")
    with pytest.raises(ConfigError, match="--event-definitions"):
        duty_settings(Settings(event_definitions=str(file)))
