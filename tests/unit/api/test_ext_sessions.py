"""Sessions' cookies, the word that changes need, and counting failed log-ins."""

import pytest

from ostro.adapters.vault.sessions import SessionSealer
from ostro.api.attempts import Attempts
from ostro.api.sessions import COOKIE, Sessions, check_proof
from ostro.model.errors import Forbidden, InvalidInput, TooMany

KEY = b"k" * 44


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000_000

    def now(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sessions(clock: Clock, key: bytes = KEY) -> Sessions:
    return Sessions(SessionSealer(lambda: key), clock.now, 60)


def test_a_cookie_is_read_by_whoever_has_the_key(clock: Clock) -> None:
    session, value = sessions(clock).begin("a-token")
    found = sessions(clock).read(f"other=1; {COOKIE}={value}; more=2")
    assert found == session
    assert sessions(clock, b"x" * 44).read(f"{COOKIE}={value}") is None
    assert "a-token" not in value


def test_no_character_of_it_may_be_changed(clock: Clock) -> None:
    _, value = sessions(clock).begin("a-token")
    for place in range(0, len(value) - 1, 7):
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert sessions(clock).read(f"{COOKIE}={changed}") is None


def test_it_ends(clock: Clock) -> None:
    _, value = sessions(clock).begin("a-token")
    clock.at += 59_000_000
    assert sessions(clock).read(f"{COOKIE}={value}") is not None
    clock.at += 1_000_000
    assert sessions(clock).read(f"{COOKIE}={value}") is None


def test_a_token_that_no_cookie_can_hold_is_refused(clock: Clock) -> None:
    sessions(clock).begin("t" * 2500)
    with pytest.raises(InvalidInput, match="too long"):
        sessions(clock).begin("t" * 3000)


def test_what_the_installation_sealed_for_another_purpose_is_no_session(clock: Clock) -> None:
    from cryptography.fernet import Fernet

    key = Fernet.generate_key()
    sealed = Fernet(key).encrypt(b'["a-token","word",9999999999999999]').decode()
    assert sessions(clock, key).read(f"{COOKIE}={sealed}") is None


@pytest.mark.parametrize("given", [None, "", "word", "Word2", "é"])
def test_a_change_needs_the_word(clock: Clock, given: str | None) -> None:
    session, _ = sessions(clock).begin("a-token")
    check_proof(session, session.csrf)
    with pytest.raises(Forbidden):
        check_proof(session, given)


def test_an_address_that_fails_too_often_waits_and_others_do_not() -> None:
    now = 0.0
    attempts = Attempts(3, 60.0, lambda: now)
    for _ in range(3):
        attempts.check("a")
        attempts.failed("a")
    with pytest.raises(TooMany):
        attempts.check("a")
    attempts.check("b")
    now = 61.0
    attempts.check("a")


def test_what_is_remembered_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ostro.api.attempts._MOST_ADDRESSES", 10)
    attempts = Attempts()
    for number in range(100):
        attempts.failed(str(number))
    assert len(attempts._failed) == 10
