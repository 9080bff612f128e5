"""The installation's key of processes that share no file."""

from pathlib import Path

import pytest

from ostro.adapters.vault import VARIABLE, derived_key, new_key
from ostro.adapters.vault.sessions import MESSAGES, SessionSealer
from ostro.engine.vault import FileVault
from ostro.model.errors import InvalidInput


def test_the_same_secret_key_gives_the_same_key_wherever_it_comes_from(tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "keys").write_text(f"# newest first\n{new_key()}\n{key}\n")
    derived = derived_key("", {VARIABLE: key})
    assert derived is not None
    assert key.encode() not in derived
    assert derived_key(str(tmp_path / "keys"), {}) == derived  # also after a new one was added
    assert derived_key("", {VARIABLE: new_key()}) != derived


def test_without_keys_there_is_none_and_a_wrong_one_is_refused_without_being_shown() -> None:
    assert derived_key("", {}) is None
    with pytest.raises(InvalidInput) as caught:
        derived_key("", {VARIABLE: "hunter2"})
    assert "hunter2" not in caught.value.message


def test_what_one_process_seals_another_opens() -> None:
    derived = derived_key("", {VARIABLE: new_key()})
    assert derived is not None
    assert FileVault(None, derived).open(FileVault(None, derived).seal("token")) == "token"
    sealed = SessionSealer(lambda: derived, MESSAGES).seal("token")
    assert SessionSealer(lambda: derived, MESSAGES).open(sealed) == "token"
    assert SessionSealer(lambda: derived).open(sealed) is None  # nothing for one purpose opens as another
