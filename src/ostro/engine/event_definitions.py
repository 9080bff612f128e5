"""What an execution is told of the event that started it: `params.event_params`, and inputs made from the event.

Definitions are a list of `{event_types: "a.*" or [...], properties: {name: value or expression}}`; of those that match
an event the last wins. Expressions see the event as a map.
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ostro.expr import compile_value
from ostro.expr.scope import ContextView, Scope
from ostro.model.errors import InvalidInput
from ostro.model.triggers import Event


class EventDefinition(msgspec.Struct, frozen=True):
    """`properties` of events whose type matches one of the patterns."""

    event_types: str | list[str]
    properties: dict[str, Any]

    def matches(self, event_type: str) -> bool:
        patterns = [self.event_types] if isinstance(self.event_types, str) else self.event_types
        return any(fnmatch.fnmatchcase(event_type, pattern) for pattern in patterns)


class _NoService:
    """Expressions over events know values, no workflows."""

    def __getattr__(self, name: str) -> Any:
        raise InvalidInput(f"{name}() cannot be used in expressions over events.")


_NO_SERVICE: Final = _NoService()


def read_definitions(data: Any) -> list[EventDefinition]:
    """From the parsed file. Raises InvalidInput."""
    try:
        found = msgspec.convert(data or [], list[EventDefinition])
        for definition in found:
            compile_value(definition.properties)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The event definitions are not valid: {error}") from None
    return found


class EventView:
    """Evaluates what is said about events. `clock`: seconds; `budget_ms`: per expression."""

    def __init__(self, definitions: Sequence[EventDefinition], clock: Callable[[], float], budget_ms: float) -> None:
        self._definitions = definitions
        self._clock = clock
        self._budget_ms = budget_ms

    def event_params(self, event: Event) -> dict[str, Any]:
        """Raises ExpressionError."""
        for definition in reversed(self._definitions):
            if definition.matches(event.event_type):
                return self.evaluate(definition.properties, event)
        return {
            "service": event.publisher_id,
            "project_id": event.project_id,
            "user_id": event.user_id,
            "timestamp": event.timestamp,
        }

    def evaluate(self, given: Mapping[str, Any], event: Event) -> dict[str, Any]:
        """The map with its expressions evaluated over the event. Raises ExpressionError."""
        template = compile_value(dict(given))
        if template.constant:
            return dict(given)
        scope = Scope(ContextView((_as_map(event),)), _NO_SERVICE, self._clock, self._budget_ms)
        return dict(template.evaluate(scope))


def _as_map(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "event_type": event.event_type,
        "exchange": event.exchange,
        "topic": event.topic,
        "publisher": event.publisher_id,
        "publisher_id": event.publisher_id,
        "timestamp": event.timestamp,
        "payload": event.payload,
        "context": {"project_id": event.project_id, "user_id": event.user_id, **event.context},
    }
