"""What one evaluation may cost: time, steps and sizes.

Guarantees that a loop which ticks ends in an ExpressionError soon after its time is over, and that
no single value grows past the limits below. Knows nothing of YAQL or Jinja.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NoReturn, TypeVar

from ostro.model.errors import ExpressionError

T = TypeVar("T")

MAX_TEXT: Final = 16 * 1024 * 1024  # characters in one text
MAX_ITEMS: Final = 1_000_000  # elements in one collection
MAX_INT_BITS: Final = 64 * 1024  # about 19,700 decimal digits
MAX_EXPONENT_BITS: Final = 4096  # operands of a power with modulus

_LOOK_EVERY: Final = 256  # steps between two looks at the clock
_STEPS_PER_MS: Final = 20_000  # a stopped (virtual) clock must not make an evaluation endless


class Refusals:
    """How many evaluations of this process have broken their budget; for metrics."""

    total = 0


def refuse(message: str) -> NoReturn:
    Refusals.total += 1
    raise ExpressionError(message)


class Budget:
    """The allowance of one evaluation; make a new one for each.

    `clock` returns monotonic seconds. The time starts when it is looked at first, after a few hundred
    steps. Hot loops may lower `left` themselves and call `look()` once it is negative, as `tick` does.
    """

    __slots__ = ("_clock", "_deadline", "_ms", "_spent", "left")

    def __init__(self, clock: Callable[[], float], ms: float = 250.0) -> None:
        self._clock = clock
        self._ms = ms
        self._deadline = 0.0  # set at the first look: most evaluations never take one
        self._spent = 0
        self.left = _LOOK_EVERY

    def tick(self, n: int = 1) -> None:
        """Account for `n` steps (a step is about a microsecond of work)."""
        self.left -= n
        if self.left < 0:
            self.look()

    def look(self) -> None:
        """Compare with the clock and with the limit of steps."""
        self._spent += _LOOK_EVERY - self.left
        self.left = _LOOK_EVERY
        if self._spent > self._ms * _STEPS_PER_MS or self._remaining() <= 0:
            self.give_up()

    def _remaining(self) -> float:
        now = self._clock()
        if not self._deadline:
            self._deadline = now + self._ms / 1000.0
        return self._deadline - now

    def give_up(self) -> NoReturn:
        refuse(f"the evaluation exceeded its time budget of {self._ms:g} ms")

    def check_size(self, n: int) -> None:
        """Refuse a text of `n` characters if that is too long; a long one costs steps."""
        if n > MAX_TEXT:
            refuse(f"the text would have {n} characters, the limit is {MAX_TEXT}")
        if n > 1024:
            self.tick(n >> 10)

    def check_items(self, n: int) -> None:
        """Refuse a collection of `n` elements if that is too many; a long one costs steps."""
        if n > MAX_ITEMS:
            refuse(f"the collection would have {n} elements, the limit is {MAX_ITEMS}")
        if n > 64:
            self.tick(n >> 6)

    def check_bits(self, n: int) -> None:
        """Refuse an integer of `n` bits if that is too large."""
        if n > MAX_INT_BITS:
            refuse(f"the number would have {n} bits, the limit is {MAX_INT_BITS}")

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, one step each: for whatever may be long or endless."""
        for item in items:
            self.left -= 1
            if self.left < 0:
                self.look()
            yield item

    def regex_timeout(self) -> float:
        """Seconds a regular expression may take now, for `timeout=` of the regex package."""
        rest = self._remaining()
        if rest <= 0:
            self.give_up()
        return rest
