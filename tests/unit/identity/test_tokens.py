"""Ostro's own tokens: what is stored of them, who they are, how they end."""

import msgspec
import pytest

from ostro.adapters.identity import cache
from ostro.adapters.identity.tokens import KNOWN_SECONDS, TokenAuthenticator, new_token
from ostro.model.access import TokenRecord
from ostro.model.errors import InvalidInput, Unauthenticated
from tests.unit.identity.clock import HandClock


class Tokens:
    """A store that counts how often it is asked."""

    def __init__(self) -> None:
        self.rows: dict[str, TokenRecord] = {}
        self.asked = 0

    async def find_token(self, id: str) -> TokenRecord | None:
        self.asked += 1
        return self.rows.get(id)

    def add(self, clock: HandClock, roles: tuple[str, ...] = (), seconds: int | None = None) -> str:
        end = None if seconds is None else clock.now() + seconds * 1_000_000
        token, record = new_token(project_id="shop", user_id="build", roles=roles, now=clock.now(), expires_at=end)
        self.rows[record.id] = record
        return token


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def authenticator(tokens: Tokens, clock: HandClock) -> TokenAuthenticator:
    return TokenAuthenticator(tokens, clock)


async def test_a_token_says_who_its_owner_is(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock
) -> None:
    caller = await authenticator.authenticate(tokens.add(clock, ("member", "admin")))
    assert (caller.project_id, caller.user_id, caller.roles, caller.is_admin) == (
        "shop", "build", ("member", "admin"), True,
    )  # fmt: skip
    assert not (await authenticator.authenticate(tokens.add(clock, ("administrator",)))).is_admin


def test_the_row_does_not_hold_the_token(tokens: Tokens, clock: HandClock) -> None:
    token = tokens.add(clock)
    (record,) = tokens.rows.values()
    assert token.rpartition("_")[2] not in str(msgspec.to_builtins(record))
    assert token.split("_", 2)[2] not in str(msgspec.to_builtins(record))


async def test_the_store_is_asked_once_for_many_requests(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock
) -> None:
    token = tokens.add(clock)
    for _ in range(100):
        await authenticator.authenticate(token)
    assert tokens.asked == 1


async def test_a_revoked_token_ends_when_it_is_forgotten(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock
) -> None:
    token = tokens.add(clock)
    await authenticator.authenticate(token)
    (record,) = tokens.rows.values()
    tokens.rows[record.id] = msgspec.structs.replace(record, revoked_at=clock.now())
    clock.move(KNOWN_SECONDS)
    with pytest.raises(Unauthenticated, match="revoked"):
        await authenticator.authenticate(token)


async def test_an_expired_token_ends_at_once(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock
) -> None:
    token = tokens.add(clock, seconds=3)
    await authenticator.authenticate(token)
    clock.move(3)
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate(token)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x"]
)
async def test_what_is_not_exactly_the_token_is_refused(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock, change: "object"
) -> None:
    token = tokens.add(clock)
    wrong = change(token)  # type: ignore[operator]
    with pytest.raises(Unauthenticated) as refused:
        await authenticator.authenticate(wrong)
    assert refused.value.message == "Failed to validate access token: Auth token is invalid"


async def test_the_cache_is_bounded(
    authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST_CALLERS", 2)
    given = [tokens.add(clock) for _ in range(3)]
    for token in given:
        await authenticator.authenticate(token)
    asked = tokens.asked
    await authenticator.authenticate(given[2])
    assert tokens.asked == asked
    await authenticator.authenticate(given[0])  # the oldest was forgotten
    assert tokens.asked == asked + 1


@pytest.mark.parametrize(
    "names", [{"project_id": ""}, {"user_id": "a\nb"}, {"roles": ("a b",)}, {"project_id": "x" * 256}]
)
def test_names_that_are_none_are_refused(names: dict[str, object]) -> None:
    given: dict[str, object] = {"project_id": "p", "user_id": "u", "roles": ()} | names
    with pytest.raises(InvalidInput, match="cannot be the name"):
        new_token(now=0, **given)  # type: ignore[arg-type]
