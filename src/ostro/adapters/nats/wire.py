"""Commands, answers and jobs as bytes: MessagePack, or JSON where that cannot say it (integers of any size, texts with
lone surrogates). The first byte tells which.
"""

import json
from collections.abc import Callable
from typing import Any, Final, Optional, Union

import msgspec

from ostro.model import commands as c
from ostro.model import errors
from ostro.model.errors import InvalidInput, OstroError, Problem
from ostro.model.records import ActionRecord, ExecutionRecord, TaskRecord

_PACKED: Final = b"\x00"
_TEXT: Final = b"\x01"

Report = Union[c.ActionTaken, c.ActionWaits, c.ActionAlive, c.FinishAction]  # noqa: UP007


class WaitFinished(msgspec.Struct, frozen=True, tag=True):
    """`Engine.wait_finished` as a question."""

    root_id: str
    execution_id: str
    timeout: float
    is_open: bool


Asked = Union[  # noqa: UP007
    c.StartExecution, c.ChangeExecution, c.ReadState, c.DeleteExecution, c.RerunTask, c.SkipTask, c.FinishAction,
    c.ChangeAction, c.RunAction, c.DeleteAction, c.ActionTaken, c.ActionWaits, c.ActionAlive, WaitFinished,
]  # fmt: skip

REPLIES: Final[dict[type, Any]] = {
    c.StartExecution: tuple[ExecutionRecord, bool],
    c.ChangeExecution: ExecutionRecord,
    c.ReadState: dict[str, Any],
    c.RerunTask: TaskRecord,
    c.SkipTask: TaskRecord,
    c.FinishAction: ActionRecord | None,
    c.ChangeAction: ActionRecord,
    c.RunAction: ActionRecord,
    WaitFinished: ExecutionRecord | None,
}


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """An OstroError. `problems`: of a DefinitionError, as (message, line, column, severity, code, hint)."""

    kind: str
    message: str
    details: dict[str, Any] = {}
    problems: tuple[tuple[str, int, int, str, str, str], ...] = ()


class JobMessage(msgspec.Struct, frozen=True, array_like=True):
    """`epoch`: of the engine process that sent it. `is_whole`: False if its input is too large to stand here; that
    engine gives it on demand."""

    epoch: int
    is_whole: bool
    job: c.ActionJob


class WantedJob(msgspec.Struct, frozen=True, array_like=True):
    action_id: str
    attempt: int


_encode = msgspec.msgpack.Encoder().encode


def pack(value: Any) -> bytes:
    """Raises InvalidInput for what no message can hold."""
    try:
        return _PACKED + _encode(value)
    except (TypeError, ValueError, OverflowError, UnicodeError, msgspec.MsgspecError):
        pass  # RecursionError: nested too deeply, whatever the format
    except RecursionError:
        raise InvalidInput("A value is nested too deeply to be sent.") from None
    try:
        return _TEXT + json.dumps(_plain(value), default=_other).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"A value cannot be sent: {error}") from None


def _plain(value: Any) -> Any:
    """Structs as `msgspec` would write them; what is in them is left to the encoder."""
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        if config.array_like:
            return [_plain(getattr(value, name)) for name in value.__struct_fields__]
        tag = {} if config.tag is None else {config.tag_field: config.tag}
        return tag | {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _other(value: Any) -> Any:
    return list(value) if isinstance(value, (set, frozenset)) else str(value)


def reader(type: Any) -> Callable[[bytes], Any]:
    """From bytes to values of a type. What it gives raises ValueError for what is none."""
    decode = msgspec.msgpack.Decoder(type).decode

    def read(data: bytes) -> Any:
        try:
            if data[:1] == _PACKED:
                return decode(memoryview(data)[1:])
            return msgspec.convert(json.loads(data[1:]), type)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None

    return read


read_asked = reader(Asked)
read_reports = reader(list[Report])
read_report_answers = reader(list[tuple[Fault | None, Any]])
read_job = reader(JobMessage)
read_wanted = reader(WantedJob)
read_whole_job = reader(c.ActionJob | None)
read_ids = reader(list[str])
_read_answer: Final[dict[type, Callable[[bytes], Any]]] = {
    kind: reader(tuple[Fault | None, Optional[reply]])  # type: ignore[valid-type]  # noqa: UP045
    for kind, reply in REPLIES.items()
}
_read_any = reader(tuple[Fault | None, Any])


def read_answer(kind: type, data: bytes) -> tuple[Fault | None, Any]:
    """The answer to a command of that class."""
    return _read_answer.get(kind, _read_any)(data)  # type: ignore[no-any-return]


def _known_errors() -> dict[str, type[OstroError]]:
    return {
        name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, OstroError)
    }


_ERRORS: Final = _known_errors()


def fault_of(error: OstroError) -> Fault:
    kind = next(cls.__name__ for cls in type(error).__mro__ if _ERRORS.get(cls.__name__) is cls)
    problems = tuple(
        (one.message, one.line, one.column, one.severity, one.code, one.hint) for one in getattr(error, "problems", ())
    )
    return Fault(kind, error.message, error.details, problems)


def error_of(fault: Fault) -> OstroError:
    cls = _ERRORS.get(fault.kind, OstroError)
    if issubclass(cls, errors.DefinitionError):
        return cls(
            fault.message,
            tuple(
                Problem(message, line, column, severity=severity, code=code, hint=hint)
                for message, line, column, severity, code, hint in fault.problems
            ),
        )
    return cls(fault.message, **fault.details)
