"""Operations without I/O: generators that yield what is to be done and are sent what came of it.

An operation is written once, as a method of a `Resource`, and driven by two loops (`drivers`): the sync client's, which
makes it a function that answers, and the async client's, which makes it a coroutine function. `operation` and `listing`
tell the type checker exactly that: `Resource[Sync]` and `Resource[Async]` see different results of the same method.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, final, overload

import msgspec

M = TypeVar("M")
P = ParamSpec("P")
T = TypeVar("T")


@final
class Sync:
    """Marks resources whose operations answer."""


@final
class Async:
    """Marks resources whose operations are awaited."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is below the server's address and quoted already. `is_safe`: a repeat does no harm. `wait`: seconds that
    the server itself may take, beyond the client's time limit."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    content: bytes | None = None
    headers: Mapping[str, str] = {}
    is_safe: bool = False
    wait: float = 0


class Response(msgspec.Struct, frozen=True):
    """`headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Lost(msgspec.Struct, frozen=True):
    """No answer. `is_sent`: the request, or a part of it, may have arrived."""

    reason: str
    is_sent: bool


class Send(msgspec.Struct, frozen=True):
    """Make a request. Reply: Response | Lost."""

    request: Request


class Pause(msgspec.Struct, frozen=True):
    """Sleep. Reply: None."""

    seconds: float


class Retries(msgspec.Struct, frozen=True):
    """How often may a request be repeated? Reply: int."""


class Open(msgspec.Struct, frozen=True):
    """Begin to read a stream of events, in place of the one before. Reply: Response (without content) | Lost."""

    request: Request


class Read(msgspec.Struct, frozen=True):
    """Wait for the stream's next event. Reply: Message, or Lost when there are no more."""


class Message(msgspec.Struct, frozen=True):
    """One server-sent event."""

    event: str
    data: str
    id: str


class Emit(msgspec.Struct, frozen=True):
    """Hand items to whoever iterates. Reply: None."""

    items: Sequence[Any]


Instruction = Send | Pause | Retries | Open | Read | Emit
Steps = Generator[Instruction, Any, T]
Walk = Steps[None]


class Driver(Protocol):
    """What carries steps out."""

    def run(self, steps: Steps[T]) -> Any:
        """The result, or a coroutine for it."""
        ...

    def iterate(self, steps: Walk) -> Any:
        """An iterator over what is emitted, sync or async."""
        ...


class Resource(Generic[M]):
    """Operations of one kind of thing, for one of the two clients."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that asks the server: `T` from a `Client`, to be awaited from an `AsyncClient`."""

    def __init__(self, body: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._body = body
        self.__doc__ = body.__doc__

    @overload
    def __get__(self, at: Resource[Sync], kind: Any = ...) -> Callable[P, T]: ...
    @overload
    def __get__(self, at: Resource[Async], kind: Any = ...) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, at: Any, kind: Any = None) -> Any:
        if at is None:
            return self._body

        @functools.wraps(self._body)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return at._driver.run(self._body(at, *args, **kwargs))

        return call


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """A method to iterate over, with `for` from a `Client`, with `async for` from an `AsyncClient`. The body's own
    return type tells what it emits."""

    def __init__(self, body: Callable[Concatenate[Any, P], "Emits[T]"]) -> None:
        self._body = body
        self.__doc__ = body.__doc__

    @overload
    def __get__(self, at: Resource[Sync], kind: Any = ...) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, at: Resource[Async], kind: Any = ...) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, at: Any, kind: Any = None) -> Any:
        if at is None:
            return self._body

        @functools.wraps(self._body)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return at._driver.iterate(self._body(at, *args, **kwargs).steps)

        return call


class Emits(Generic[T]):
    """Steps that emit items of type T."""

    def __init__(self, steps: Walk) -> None:
        self.steps = steps
