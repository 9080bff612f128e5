"""Actions as they were written for Mistral; they run here unchanged."""

from typing import Any

from mistral_lib import actions


class Lookup(actions.Action):
    """Looks up a price."""

    prices = {"tea": 3}

    def __init__(self, item: str, currency: str = "EUR") -> None:
        self.item = item
        self.currency = currency

    def run(self, context: Any) -> actions.Result:
        if self.item == "nothing":
            return actions.Result(cancel=True)
        if self.item not in self.prices:
            return actions.Result(error={"unknown": self.item})
        return actions.Result(
            data={"price": self.prices[self.item], "currency": self.currency, "by": context.execution.workflow_name}
        )

    def test(self, context: Any) -> actions.Result:
        return actions.Result(data={"price": 1, "currency": self.currency})


class Ticket(actions.Action):
    """Opens a ticket that somebody closes."""

    def __init__(self, title: str) -> None:
        self.title = title

    def run(self, context: Any) -> str:
        return f"opened {self.title} for {context.execution.action_execution_id}"

    def is_sync(self) -> bool:
        return False
