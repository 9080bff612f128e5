"""Tokens against a small Keystone on loopback."""

from collections.abc import AsyncIterator, Iterator

import pytest

from ostro.adapters.identity.keystone import KNOWN_SECONDS, KeystoneAuthenticator
from ostro.model.errors import Unauthenticated, Unavailable
from tests.unit.identity.clock import HandClock
from tests.unit.identity.services import Keystone


@pytest.fixture
def keystone() -> Iterator[Keystone]:
    with Keystone() as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def authenticator(keystone: Keystone, clock: HandClock) -> AsyncIterator[KeystoneAuthenticator]:
    made = KeystoneAuthenticator(keystone.url, clock)
    yield made
    await made.close()


async def test_a_token_says_project_user_and_roles(authenticator: KeystoneAuthenticator, keystone: Keystone) -> None:
    keystone.add("t1", "p1", "member", "reader")
    caller = await authenticator.authenticate("t1")
    assert (caller.project_id, caller.user_id, caller.roles, caller.is_admin) == (
        "p1", "u1", ("member", "reader"), False,
    )  # fmt: skip
    keystone.add("t2", "p2", "admin")
    assert (await authenticator.authenticate("t2")).is_admin


async def test_keystone_is_asked_once_a_minute_and_without_the_catalogue(
    authenticator: KeystoneAuthenticator, keystone: Keystone, clock: HandClock
) -> None:
    keystone.add("t1", "p1")
    for _ in range(10):
        await authenticator.authenticate("t1")
    assert keystone.asked == ["/v3/auth/tokens?nocatalog"]
    del keystone.tokens["t1"]  # revoked
    clock.move(KNOWN_SECONDS)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate("t1")


async def test_an_expired_token_is_not_remembered(
    authenticator: KeystoneAuthenticator, keystone: Keystone, clock: HandClock
) -> None:
    keystone.add("t1", "p1", expires_at="2026-11-18T11:06:50.000000Z")  # ten seconds from the clock's now
    await authenticator.authenticate("t1")
    clock.move(10)
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate("t1")


@pytest.mark.parametrize("token", ["unknown", "é", "a\nb", "a b\r\nX-Subject-Token: t1"])
async def test_an_unknown_token_is_refused(
    authenticator: KeystoneAuthenticator, keystone: Keystone, token: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await authenticator.authenticate(token)
    assert refused.value.message == "Failed to validate access token: Auth token is invalid"


async def test_a_token_without_a_project_is_refused(authenticator: KeystoneAuthenticator, keystone: Keystone) -> None:
    keystone.add("t1", None, "admin")
    with pytest.raises(Unauthenticated, match="not scoped to a project"):
        await authenticator.authenticate("t1")


async def test_trouble_with_keystone_is_no_refusal(
    authenticator: KeystoneAuthenticator, keystone: Keystone, clock: HandClock
) -> None:
    keystone.add("t1", "p1")
    keystone.status = 500
    with pytest.raises(Unavailable, match="Keystone does not answer as expected: status 500"):
        await authenticator.authenticate("t1")
    keystone.status = 200
    keystone.tokens["t1"] = {"something": "else"}
    with pytest.raises(Unavailable, match="Keystone does not answer as expected"):
        await authenticator.authenticate("t1")
    away = KeystoneAuthenticator("http://127.0.0.1:1/v3", clock)
    with pytest.raises(Unavailable, match="Keystone cannot be reached"):
        await away.authenticate("t1")
    await away.close()
