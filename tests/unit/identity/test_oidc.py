"""JWTs against an issuer with realms on loopback."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from ostro.adapters.identity.oidc import KNOWN_SECONDS, RETRY_SECONDS, OidcAuthenticator, OidcSettings
from ostro.model.errors import Unauthenticated, Unavailable
from tests.unit.identity.clock import HandClock
from tests.unit.identity.services import Issuer


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with Issuer("shop", "stock") as issuer:
        yield issuer


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def issuer(running: Issuer, clock: HandClock) -> Issuer:
    running.now = lambda: clock.now() // 1_000_000
    running.asked.clear()
    return running


@pytest.fixture
async def realms(issuer: Issuer, clock: HandClock) -> AsyncIterator[OidcAuthenticator]:
    authenticator = OidcAuthenticator(OidcSettings(issuer=issuer.url), clock)
    yield authenticator
    await authenticator.close()


async def test_a_realm_is_a_project_and_its_roles_are_the_roles(realms: OidcAuthenticator, issuer: Issuer) -> None:
    caller = await realms.authenticate(issuer.token("shop"))
    assert (caller.project_id, caller.user_id, caller.roles, caller.is_admin) == ("shop", "anna", ("member",), False)
    caller = await realms.authenticate(issuer.token("stock", realm_access={"roles": ["admin"]}))
    assert (caller.project_id, caller.is_admin) == ("stock", True)


async def test_another_issuer_says_itself_what_its_claims_mean(issuer: Issuer, clock: HandClock) -> None:
    settings = OidcSettings(
        issuer=issuer.issuer("shop"), audience="ostro", project_claim="org.team", roles_claim="scope"
    )
    authenticator = OidcAuthenticator(settings, clock)
    try:
        caller = await authenticator.authenticate(issuer.token("shop", org={"team": "red"}, scope="read admin"))
        assert (caller.project_id, caller.roles) == ("red", ("read", "admin"))
        with pytest.raises(Unauthenticated, match="issuer, audience or times"):
            await authenticator.authenticate(issuer.token("shop", org={"team": "red"}, aud="other"))
        with pytest.raises(Unauthenticated, match="names no project"):
            await authenticator.authenticate(issuer.token("shop"))
    finally:
        await authenticator.close()


def forged(issuer: Issuer) -> dict[str, str]:
    good = issuer.token("shop")
    head, _, signature = good.split(".")
    own_key = RSAKey.generate_key(2048, {"kid": "shop-1"})
    return {
        "a signature by another key": issuer.token("shop", own_key),
        "a token of one realm that names another": issuer.token("stock", iss=issuer.issuer("shop")),
        "other claims below a good signature": f"{head}.{issuer.token('shop', sub='2').split('.')[1]}.{signature}",
        "no signature": f"eyJhbGciOiJub25lIn0.{good.split('.')[1]}.",
        "another algorithm's key": issuer.token("shop", ECKey.generate_key("P-256", {"kid": "shop-1"}), "ES256"),
        "a foreign issuer": issuer.token("shop", iss="http://127.0.0.1:1/auth/realms/shop"),
        "an issuer outside the realms": issuer.token("shop", iss=f"{issuer.url}/realms/../realms/shop"),
        "an issuer that is no text": issuer.token("shop", iss=7),
        "a realm that does not exist": issuer.token("shop", iss=issuer.issuer("nowhere")),
        "no end": issuer.token("shop", exp=None),
        "past": issuer.token("shop", exp=issuer.now() - 60),
        "future": issuer.token("shop", nbf=issuer.now() + 600),
        "no token": "nothing",
        "three parts of nothing": "a.b.c",
        "not ASCII": "é.é.é",
        "one of ours": "ostro_0123456789ab_" + "x" * 43,
    }


KINDS = [
    "a signature by another key", "a token of one realm that names another", "other claims below a good signature",
    "no signature", "another algorithm's key", "a foreign issuer", "an issuer outside the realms",
    "an issuer that is no text", "a realm that does not exist", "no end", "past", "future", "no token",
    "three parts of nothing", "not ASCII", "one of ours",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_not_a_good_token_is_refused(realms: OidcAuthenticator, issuer: Issuer, kind: str) -> None:
    token = forged(issuer)[kind]
    with pytest.raises(Unauthenticated) as refused:
        await realms.authenticate(token)
    assert refused.value.message.startswith("Failed to validate access token: Auth token is invalid")
    assert token not in refused.value.message


def test_all_kinds_are_tried(issuer: Issuer) -> None:
    assert set(forged(issuer)) == set(KINDS)


async def test_keys_and_callers_are_remembered(realms: OidcAuthenticator, issuer: Issuer, clock: HandClock) -> None:
    token = issuer.token("shop")
    for _ in range(10):
        await realms.authenticate(token)
    await realms.authenticate(issuer.token("shop", sub="2"))
    clock.move(KNOWN_SECONDS)
    await realms.authenticate(token)
    assert len(issuer.asked) == 2  # the configuration and the keys, once


async def test_a_token_ends_when_it_says_so(realms: OidcAuthenticator, issuer: Issuer, clock: HandClock) -> None:
    token = issuer.token("shop", exp=issuer.now() + 10)
    await realms.authenticate(token)
    clock.move(60)
    with pytest.raises(Unauthenticated, match="it has expired"):
        await realms.authenticate(token)


async def test_new_keys_are_found_but_not_asked_for_all_the_time(
    realms: OidcAuthenticator, issuer: Issuer, clock: HandClock
) -> None:
    await realms.authenticate(issuer.token("stock"))
    issuer.change_key("stock")
    token = issuer.token("stock")
    with pytest.raises(Unauthenticated):
        await realms.authenticate(token)
    assert len(issuer.asked) == 2
    clock.move(RETRY_SECONDS)
    assert (await realms.authenticate(token)).project_id == "stock"


async def test_an_issuer_that_is_away_is_no_refusal(clock: HandClock, issuer: Issuer) -> None:
    authenticator = OidcAuthenticator(OidcSettings(issuer="http://127.0.0.1:1"), clock)
    token = issuer.token("shop", iss="http://127.0.0.1:1/realms/shop")
    with pytest.raises(Unavailable, match="The token issuer cannot be reached"):
        await authenticator.authenticate(token)
    await authenticator.close()


async def test_an_issuer_that_speaks_for_another_is_not_believed(
    realms: OidcAuthenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return 200, {"issuer": "http://other/realms/shop", "jwks_uri": f"{issuer.issuer('shop')}/certs"}

    monkeypatch.setattr(issuer, "get", get)
    with pytest.raises(Unavailable, match="its configuration is not its own"):
        await realms.authenticate(issuer.token("shop"))
