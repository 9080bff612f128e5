"""The live feed: who hears what, in which order, and what becomes of those who miss something."""

import pytest
from msgspec import Raw

from ostro.engine import live
from ostro.engine.live import LiveHub
from ostro.model.errors import TooMany
from ostro.ports.live import Kind, LiveCommit, LiveEvent, LiveLost
from ostro.testing.clock import VirtualClock


def event(
    id: str, project: str | None = "shop", *, kind: Kind = "execution", root: str = "r", text: str = ""
) -> LiveEvent:
    data = Raw(f'{{"id":"{id}","text":"{text}"}}'.encode())
    return LiveEvent(kind=kind, id=id, root_id=root, project_id=project, is_public=kind != "task", data=data)


def commit(seq: int, *events: LiveEvent, source: str = "one") -> LiveCommit:
    return LiveCommit(source=source, seq=seq, events=events)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def hub(clock: VirtualClock) -> LiveHub:
    return LiveHub(clock)


async def heard(listener: live.Listener) -> list[tuple[int, str, str]]:
    return [(seq, one.kind, one.id) for seq, one in await listener.next(0.01)]


async def test_a_project_hears_of_its_executions_only(hub: LiveHub) -> None:
    shop, bank, everybody = (
        hub.subscribe("shop", [], None),
        hub.subscribe("bank", [], None),
        hub.subscribe(None, [], None),
    )
    hub.publish(commit(1, event("a"), event("b", "bank"), event("t", kind="task")))
    assert await heard(shop) == [(1, "execution", "a")]
    assert await heard(bank) == [(1, "execution", "b")]
    assert await heard(everybody) == [(1, "execution", "a"), (1, "execution", "b")]
    assert await heard(shop) == []


async def test_who_watches_a_tree_hears_of_its_tasks_too_and_of_nothing_twice(hub: LiveHub) -> None:
    listener = hub.subscribe("shop", ["r"], None)
    hub.publish(commit(1, event("a"), event("t", kind="task"), event("x", kind="task", root="other")))
    assert await heard(listener) == [(1, "execution", "a"), (1, "task", "t")]


async def test_of_several_changes_the_newest_is_told_in_its_place(hub: LiveHub) -> None:
    listener = hub.subscribe("shop", [], None)
    hub.publish(commit(1, event("a", text="old"), event("b")))
    hub.publish(commit(2, event("a", text="new")))
    news = await listener.next(0)
    assert [(seq, one.id) for seq, one in news] == [(1, "b"), (2, "a")]
    assert b"new" in bytes(news[1][1].data)
    assert listener.position["one"] == 2


async def test_a_listener_goes_on_where_it_was(hub: LiveHub) -> None:
    first = hub.subscribe("shop", [], None)
    hub.publish(commit(1, event("a")))
    await heard(first)
    position = dict(first.position)
    first.close()
    hub.publish(commit(2, event("b")))
    hub.publish(commit(1, event("c"), source="two"))  # an engine that was not there before
    second = hub.subscribe("shop", [], position)
    assert second.is_resumed
    assert await heard(second) == [(2, "execution", "b"), (1, "execution", "c")]


async def test_nobody_goes_on_after_too_long_or_from_elsewhere(hub: LiveHub, clock: VirtualClock) -> None:
    first = hub.subscribe("shop", [], None)
    position = dict(first.position)
    assert not hub.subscribe("shop", ["r"], position).is_resumed  # the tree was not watched
    assert not hub.subscribe("shop", [], {"before-the-restart": 7}).is_resumed
    first.close()
    for listener in list(hub._listeners):
        listener.close()
    clock.advance(live.GRACE + 1)
    hub.publish(commit(1))
    assert not hub.subscribe("shop", [], position).is_resumed


async def test_nobody_goes_on_from_before_what_is_remembered(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RING", 3)
    first = hub.subscribe("shop", [], None)
    hub.publish(commit(1, event("a")))
    await heard(first)
    position = dict(first.position)
    for seq in range(2, 5):
        hub.publish(commit(seq, event(f"e{seq}")))
    assert hub.subscribe("shop", [], position).is_resumed
    hub.publish(commit(5, event("e5")))
    assert not hub.subscribe("shop", [], position).is_resumed


async def test_who_cannot_keep_up_is_cut(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PENDING", 3)
    listener = hub.subscribe("shop", [], None)
    hub.publish(commit(1, *(event(f"e{n}") for n in range(3))))
    hub.publish(commit(2, event("e0")))  # news of the same thing take no room
    assert len(await heard(listener)) == 3
    hub.publish(commit(3, *(event(f"e{n}") for n in range(4))))
    with pytest.raises(LiveLost, match="slow"):
        await listener.next(0)


async def test_all_begin_anew_when_news_may_have_been_lost(hub: LiveHub) -> None:
    listener = hub.subscribe("shop", [], None)
    hub.publish(commit(1, event("a")))
    position = dict(listener.position)
    hub.lost()
    with pytest.raises(LiveLost, match="gap"):
        await listener.next(0)
    listener.close()
    again = hub.subscribe("shop", [], position)
    assert not again.is_resumed
    hub.publish(commit(2, event("b")))
    assert await heard(again) == [(2, "execution", "b")]


async def test_engines_of_the_past_are_forgotten(hub: LiveHub) -> None:
    listener = hub.subscribe("shop", [], None)
    for number in range(live.SOURCES * 2):
        hub.publish(commit(1, event(f"e{number}"), source=f"engine-{number}"))
    assert len(hub.subscribe("shop", [], None).position) == live.SOURCES
    assert len(await heard(listener)) == live.SOURCES * 2


async def test_all_are_told_when_the_process_stops(hub: LiveHub) -> None:
    listener = hub.subscribe("shop", [], None)
    hub.close()
    for one in (listener, hub.subscribe("shop", [], None)):
        with pytest.raises(LiveLost, match="stopping"):
            await one.next(0)


async def test_a_project_cannot_take_all_streams(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LISTENERS_OF_PROJECT", 2)
    kept = [hub.subscribe("shop", [], None) for _ in range(2)]
    with pytest.raises(TooMany):
        hub.subscribe("shop", [], None)
    hub.subscribe("bank", [], None)
    kept[0].close()
    hub.subscribe("shop", [], None)


async def test_memory_is_given_back_when_nobody_listens(hub: LiveHub, clock: VirtualClock) -> None:
    listeners = [hub.subscribe("shop", [f"r{n}"], None) for n in range(50)]
    for listener in listeners:
        listener.close()
    clock.advance(live.GRACE + 1)
    hub.publish(commit(1))
    assert not hub._channels
