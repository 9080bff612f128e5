"""The pure built-in actions: they run inside the engine's batch."""

from collections.abc import Mapping
from typing import Any, Final

from ostro.model.actions import ActionFailed, ActionInfo
from ostro.model.definition import REQUIRED

_CLASSES = "ostro.core.actions"
_LARGEST_DICT = 200_000  # it is built inside the batch


def _echo(output: Any, delay: Any = 0) -> Any:
    return output


def _noop() -> None:
    return None


def _fail(error_data: Any = None) -> Any:
    if error_data:
        raise ActionFailed(error_data)
    raise RuntimeError("Fail action expected exception.")


def _test_dict(size: Any = 0, key_prefix: Any = "", val: Any = "") -> dict[str, Any]:
    count = int(size)
    if count > _LARGEST_DICT:
        raise ValueError(f"size must be at most {_LARGEST_DICT}")
    return {f"{key_prefix}{number}": val for number in range(count)}


def _sleep(seconds: Any = 1) -> None:
    return None


def _echo_delay(parameters: dict[str, Any]) -> float:
    return _seconds(parameters.get("delay", 0), float)


def _sleep_delay(parameters: dict[str, Any]) -> float:
    return _seconds(parameters.get("seconds", 1), int)


def _seconds(value: Any, number: type[int] | type[float]) -> float:
    """A bad value counts as 0."""
    try:
        return max(0.0, float(number(value)))
    except (TypeError, ValueError, OverflowError):
        return 0.0


BUILTINS: Final[Mapping[str, ActionInfo]] = {
    info.name: info
    for info in (
        ActionInfo(
            name="std.echo",
            params=(("output", REQUIRED), ("delay", 0)),
            description="Returns its input after `delay` seconds.",
            class_name=f"{_CLASSES}.EchoAction",
            inline=_echo,
            delay=_echo_delay,
        ),
        ActionInfo(name="std.noop", description="Does nothing.", class_name=f"{_CLASSES}.NoOpAction", inline=_noop),
        ActionInfo(
            name="std.async_noop",
            description="Starts nothing and waits for its result to be sent by the API.",
            class_name=f"{_CLASSES}.AsyncNoOpAction",
            inline=_noop,
            is_async=True,
        ),
        ActionInfo(
            name="std.fail",
            params=(("error_data", None),),
            description="Fails, with `error_data` as result if given.",
            label="Fail action",
            class_name=f"{_CLASSES}.FailAction",
            inline=_fail,
        ),
        ActionInfo(
            name="std.test_dict",
            params=(("size", 0), ("key_prefix", ""), ("val", "")),
            description="Returns a map of `size` entries.",
            class_name=f"{_CLASSES}.TestDictAction",
            inline=_test_dict,
        ),
        ActionInfo(
            name="std.sleep",
            params=(("seconds", 1),),
            description="Waits `seconds` seconds without occupying a worker.",
            class_name=f"{_CLASSES}.SleepAction",
            inline=_sleep,
            delay=_sleep_delay,
        ),
    )
}
