"""Task policies: waits, timeout, retry, ... of tasks and of task-defaults."""

from typing import Any

from ostro.lang import shapes
from ostro.lang.findings import Findings
from ostro.lang.inline import parse_params
from ostro.model.definition import Policies, Retry

POLICY_KEYS = ("retry", "wait-before", "wait-after", "timeout", "pause-before", "concurrency", "fail-on")
RETRY_KEYS = ("count", "delay", "break-on", "continue-on")


def policies(f: Findings, data: dict[str, Any]) -> Policies:
    """The policies given in a task or in task-defaults, as written."""
    for key in POLICY_KEYS:
        if key in data:
            break
    else:
        return _NONE
    return Policies(
        pause_before=shapes.bool_or_expression(f, data, "pause-before"),
        wait_before=shapes.int_or_expression(f, data, "wait-before"),
        wait_after=shapes.int_or_expression(f, data, "wait-after"),
        timeout=shapes.int_or_expression(f, data, "timeout"),
        fail_on=shapes.bool_or_expression(f, data, "fail-on"),
        concurrency=shapes.int_or_expression(f, data, "concurrency"),
        retry=_retry(f, data) if "retry" in data else None,
    )


_NONE = Policies()


def _retry(f: Findings, data: dict[str, Any]) -> Retry | None:
    value = data["retry"]
    if isinstance(value, str) and value:
        return _retry_text(f, data, value)
    if not isinstance(value, dict):
        shapes.no_match(f, data, "retry", "A map with count and delay, or a text 'count=3 delay=1', is expected.")
        return None
    return _retry_of(f, data, value)


def _retry_text(f: Findings, data: dict[str, Any], value: str) -> Retry | None:
    params, ignored = parse_params(value, 0) if " " in value else ({}, ())
    if not params:
        shapes.no_match(f, data, "retry", "Write both count and delay: 'count=3 delay=1'.", params)
        return None
    if ignored:
        f.warning(data, "retry", "ignored-text", f"In retry this has no effect: {' '.join(ignored)}")
    return _retry_of(_At(f, data), data, params)


def _retry_of(f: Findings, container: dict[str, Any], value: dict[str, Any]) -> Retry | None:
    before = len(f.errors)
    shapes.known_keys(f, container, "retry", value, RETRY_KEYS)
    for key in ("count", "delay"):
        shapes.required(f, container, "retry", value, key)
    retry = Retry(
        count=shapes.int_or_expression(f, value, "count"),
        delay=shapes.int_or_expression(f, value, "delay"),
        break_on=shapes.expression(f, value, "break-on"),
        continue_on=shapes.expression(f, value, "continue-on"),
    )
    return retry if len(f.errors) == before else None


class _At(Findings):
    """Findings about parts of the `retry` text: all are at the place of the text."""

    def __init__(self, f: Findings, data: dict[str, Any]) -> None:
        super().__init__(_Fixed(f.places.of_value(data, "retry")), f.check)
        self.errors = f.errors
        self.warnings = f.warnings


class _Fixed:
    def __init__(self, place: tuple[int, int]) -> None:
        self._place = place

    def of_key(self, container: Any, key: Any) -> tuple[int, int]:
        return self._place

    of_value = of_key

    def original_key(self, container: Any, key: str) -> Any:
        return key
