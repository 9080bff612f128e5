"""Each way to write an action."""

import logging
from pathlib import Path
from typing import Any

from ostro.executor import ActionFailed, Context, asynchronous

log = logging.getLogger(__name__)


async def greet(name: str, greeting: str = "Hello", *, context: Context) -> str:
    """Greets somebody on behalf of the task."""
    return f"{greeting}, {name}! ({context.task_name})"


def count_words(path: str) -> dict[str, int]:
    """Counts words in a file. A plain function may block: it runs in a thread."""
    counts: dict[str, int] = {}
    for word in Path(path).read_text().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


@asynchronous
async def order(item: str, context: Context) -> None:
    """Starts something that others finish later: by PUT on `context.callback_url`."""
    if item == "unicorn":
        raise ActionFailed({"code": "sold-out", "item": item})
    log.info("ordered %s, to be finished at %s", item, context.callback_url)


class Divide:
    """Divides two numbers. Parameters are those of `__init__`."""

    def __init__(self, dividend: float, divisor: float = 2) -> None:
        self.dividend = dividend
        self.divisor = divisor

    def run(self) -> Any:
        return self.dividend / self.divisor
