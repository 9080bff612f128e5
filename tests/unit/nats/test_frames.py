"""Large messages in parts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ostro.adapters.nats.frames import BUSY, MOST, Assembly, frames


@given(size=st.integers(0, 3 * MOST), seed=st.integers(), most_twice=st.integers(0, 5))
def test_parts_may_come_in_any_order_and_twice(size: int, seed: int, most_twice: int) -> None:
    content = random.Random(size).randbytes(size)
    sent = frames(content)
    assert all(len(frame) <= MOST for frame in sent)
    chance = random.Random(seed)
    late = sent[:]
    chance.shuffle(late)
    assembly = Assembly()
    got = []
    for frame in [*chance.choices(sent[:-1], k=most_twice), *late] if len(sent) > 1 else sent:
        whole = assembly.take(frame, 0.0)
        if whole is not None:
            got.append(whole)
    assert got == [content]


def test_messages_may_be_mixed() -> None:
    first, second = frames(b"a" * 600_000), frames(b"b" * 600_000)
    assembly = Assembly()
    got = [assembly.take(frame, 0.0) for pair in zip(first, second, strict=True) for frame in pair]
    assert [whole[:1] for whole in got if whole is not None] == [b"a", b"b"]


def test_what_is_never_completed_is_forgotten() -> None:
    assembly = Assembly()
    first = frames(b"a" * 600_000)
    for frame in first[:-1]:
        assembly.take(frame, 0.0)
    second = frames(b"b" * 600_000)
    assembly.take(second[0], 61.0)
    assert assembly.take(first[-1], 61.0) is None  # too late: its other parts are gone
    assert [assembly.take(frame, 61.0) for frame in second[1:]][-1] is not None


def test_memory_is_bounded() -> None:
    assembly = Assembly(most_bytes=3 * MOST)
    for _ in range(50):
        assembly.take(frames(b"a" * 600_000)[0], 0.0)
        assert assembly._bytes <= 3 * MOST


def test_rubbish_is_nothing() -> None:
    assembly = Assembly()
    bad_number = bytearray(frames(b"a" * 600_000)[0])
    bad_number[17:21] = b"\xff\xff\xff\xff"
    for frame in (b"", BUSY, b"\x01short", b"\x07what", bytes(bad_number)):
        assert assembly.take(frame, 0.0) is None


def test_what_is_too_large_is_refused() -> None:
    import pytest

    with pytest.raises(ValueError, match="too many"):
        frames(bytes(257 << 20))
