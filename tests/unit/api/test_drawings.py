"""What is kept of drawings: the last ones asked for, up to a size."""

from ostro.api.drawings import Drawings


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept = Drawings(most=10)
    kept.put("a", b"1234")
    kept.put("b", b"5678")
    assert kept.get("a") == b"1234"
    kept.put("c", b"9012")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (b"1234", None, b"9012")


def test_what_is_larger_than_all_the_room_is_not_kept_and_takes_nothing_away() -> None:
    kept = Drawings(most=10)
    kept.put("a", b"1234")
    kept.put("b", b"x" * 11)
    assert (kept.get("a"), kept.get("b")) == (b"1234", None)


def test_the_same_drawing_counts_once() -> None:
    kept = Drawings(most=10)
    for _ in range(5):
        kept.put("a", b"123456")
    kept.put("b", b"7890")
    assert (kept.get("a"), kept.get("b")) == (b"123456", b"7890")
