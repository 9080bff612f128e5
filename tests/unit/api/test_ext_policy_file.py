"""Rules from a file that changes while the server runs."""

import logging
import os
from pathlib import Path

import pytest

from ostro.api.policy_file import PolicyFile
from ostro.model.commands import Caller
from ostro.model.errors import Forbidden, InvalidInput

USER = Caller(project_id="shop", roles=("member",))


class File:
    """A policy file, and time that passes when it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self._changes = 0

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self._changes += 1  # file systems' clocks may be coarser than this test is quick
        os.utime(self.path, ns=(self._changes, self._changes))

    def open(self) -> PolicyFile:
        return PolicyFile(self.path, authenticated=True, monotonic=lambda: self.now)


@pytest.fixture
def file(tmp_path: Path) -> File:
    made = File(tmp_path / "policy.yaml")
    made.write("workflows:create: role:author")
    return made


def test_a_change_holds_a_moment_later(file: File) -> None:
    policy = file.open()
    assert not policy.allows("workflows:create", USER)
    file.write("workflows:create: role:member")
    assert not policy.allows("workflows:create", USER)  # nobody looks at every request
    file.now += 3
    policy.require("workflows:create", USER)
    assert "workflows:create" in policy.allowed(USER)


@pytest.mark.parametrize("text", ["[", "workflows:create: 5 5", "surprise: '@'", "workflows:create: rule:nothing"])
def test_a_file_that_is_wrong_changes_nothing_and_is_told_of_once(
    file: File, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    policy = file.open()
    file.write(text)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            file.now += 3
            with pytest.raises(Forbidden):
                policy.require("workflows:create", USER)
    assert [str(file.path) in record.getMessage() for record in caplog.records] == [True]
    file.write("workflows:create: '@'")
    file.now += 3
    assert policy.allows("workflows:create", USER)


def test_a_file_that_goes_away_changes_nothing(file: File) -> None:
    policy = file.open()
    file.path.unlink()
    file.now += 3
    assert not policy.allows("workflows:create", USER)
    file.write("workflows:create: '@'")
    file.now += 3
    assert policy.allows("workflows:create", USER)


def test_the_first_look_must_be_good(file: File) -> None:
    file.write("[")
    with pytest.raises(InvalidInput):
        file.open()
    file.path.unlink()
    with pytest.raises(OSError, match="No such file"):
        file.open()
