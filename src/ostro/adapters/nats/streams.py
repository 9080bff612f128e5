"""The stream of actions and its consumers: made when they are missing, checked when they are there.

One stream, work-queue retention: a job stays until it is acknowledged. One durable pull consumer for each target and
lane, so that no executor sees the work of other targets. Only features of nats-server 2.9 are used.
"""

import contextlib
from typing import Any, Final

import structlog
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from ostro.adapters.nats.connection import NATS_ERRORS, Connection
from ostro.adapters.nats.frames import MOST
from ostro.model.errors import InvalidInput, Unavailable

log = structlog.get_logger("ostro.nats")

ACK_WAIT: Final = 4.0  # seconds without a sign of the executor until a job is given to another
MOST_IN_HAND: Final = 65_536  # jobs of one consumer that executors hold
_MOST_PULLS: Final = 8_192  # open requests of executors to one consumer
_MOST_JOBS: Final = 2_000_000
_AGE: Final = 24 * 3600.0  # seconds; engines send again what is still wanted then
_DUPLICATES: Final = 120.0  # seconds in which a repeated message is recognised
_UNUSED: Final = 24 * 3600.0  # seconds until the consumer of a target that nobody serves is removed
_HEADER_BYTES: Final = 1024
_API: Final = 5.0  # seconds
_NOT_READY: Final = frozenset({10005, 10008})  # codes: too few servers yet for the replicas, no leader yet


def stream_config(connection: Connection) -> StreamConfig:
    return StreamConfig(
        name=connection.subjects.actions_stream,
        description="Ostro: actions on their way to executors.",
        subjects=[connection.subjects.actions],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_msgs=_MOST_JOBS,
        max_bytes=connection.options.stream_mb << 20,
        max_msg_size=MOST + _HEADER_BYTES,
        max_age=_AGE,
        duplicate_window=_DUPLICATES,
        num_replicas=connection.options.replicas,
    )


def consumer_config(connection: Connection, lane: int, target: str) -> ConsumerConfig:
    name = connection.subjects.consumer(lane, target)
    return ConsumerConfig(
        name=name,
        durable_name=name,
        filter_subject=connection.subjects.action(lane, target),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_deliver=-1,
        max_ack_pending=MOST_IN_HAND,
        max_waiting=_MOST_PULLS,
        inactive_threshold=_UNUSED,
    )


async def ensure_stream(connection: Connection) -> bool:
    """True if it had to be made. Raises InvalidInput if one is there that would lose jobs, the errors of nats-py if the
    server does not answer, or is not ready (`is_passing`)."""
    wanted = stream_config(connection)
    stream = connection.client.jetstream(timeout=_API)
    assert wanted.name is not None
    try:
        found = (await stream.stream_info(wanted.name)).config
    except NotFoundError:
        try:
            await stream.add_stream(wanted)
        except APIError as error:
            if is_passing(error):
                raise
            raise InvalidInput(f"The stream {wanted.name} cannot be made: {error.description}.") from None
        log.info("made the stream of actions", stream=wanted.name)
        return True
    _check(wanted, found)
    return False


async def remove_stream(connection: Connection) -> int:
    """How many jobs it held. Engines make it anew and send again what is wanted, also what the old one has seen in the
    last two minutes and would take for repeats. Raises Unavailable."""
    stream = connection.client.jetstream(timeout=_API)
    name = connection.subjects.actions_stream
    try:
        held = (await stream.stream_info(name)).state.messages
        await stream.delete_stream(name)
    except NotFoundError:
        return 0
    except (*NATS_ERRORS, APIError) as error:
        why = str(error) or "no answer"
        raise Unavailable(
            f"The stream {name} cannot be removed ({why}). May this user do it, as an engine's may?"
        ) from None
    return held


def is_passing(error: Exception) -> bool:
    """Whether servers that have just been started may answer otherwise in a moment."""
    return isinstance(error, TimeoutError) or (isinstance(error, APIError) and error.err_code in _NOT_READY)


def _check(wanted: StreamConfig, found: StreamConfig) -> None:
    """Limits may be other ones: that is the operator's business. What would lose or repeat jobs may not."""
    wrong = [
        f"{name} is {_text(there)}, not {_text(needed)}"
        for name, needed, there in (
            ("retention", wanted.retention, found.retention),
            ("discard", wanted.discard, found.discard),
            ("subjects", wanted.subjects, found.subjects),
        )
        if needed != there
    ]
    if found.no_ack:
        wrong.append("no_ack is set")
    if found.max_msg_size is not None and 0 < found.max_msg_size < MOST:
        wrong.append(f"max_msg_size is {found.max_msg_size}, less than {MOST}")
    if wrong:
        raise InvalidInput(
            f"The stream {wanted.name} is there already and cannot be used: {'; '.join(wrong)}. Remove it "
            f"(nats stream rm {wanted.name}) and Ostro makes it again, or give --nats-prefix another value."
        )


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(getattr(value, "value", value))


async def ensure_consumer(connection: Connection, lane: int, target: str) -> ConsumerInfo:
    """Make it, or bring its settings up to date. Raises InvalidInput if one of that name is something else,
    NotFoundError without the stream, the errors of nats-py if the server does not answer."""
    config = consumer_config(connection, lane, target)
    stream = connection.client.jetstream(timeout=_API)
    try:
        return await stream.add_consumer(connection.subjects.actions_stream, config)
    except NotFoundError:
        raise
    except APIError as error:
        raise InvalidInput(
            f"The consumer {config.name} of {connection.subjects.actions_stream} cannot be used: {error.description}. "
            f"Remove it (nats consumer rm) and Ostro makes it again."
        ) from None


async def backlog(connection: Connection, lane: int, target: str) -> tuple[int, int]:
    """(jobs that nobody has, jobs that executors hold). Raises NotFoundError without the consumer, the errors of
    nats-py."""
    stream = connection.client.jetstream(timeout=_API)
    name = connection.subjects.consumer(lane, target)
    info = await stream.consumer_info(connection.subjects.actions_stream, name)
    return info.num_pending or 0, info.num_ack_pending or 0


async def stored(connection: Connection, lane: int, target: str) -> tuple[int, int]:
    """As `backlog`, also for targets whose executors have never been there. For engines only."""
    try:
        return await backlog(connection, lane, target)
    except NotFoundError:
        subject = connection.subjects.action(lane, target)
        stream = connection.client.jetstream(timeout=_API)
        info = await stream.stream_info(connection.subjects.actions_stream, subjects_filter=subject)
        return (info.state.subjects or {}).get(subject, 0), 0


async def replace_consumer(connection: Connection, lane: int, target: str) -> None:
    """Jobs that executors hold are given out again; engines let each begin once."""
    stream = connection.client.jetstream(timeout=_API)
    with contextlib.suppress(APIError):  # it is gone already; or 2.9 says so of its folder, and has removed it
        await stream.delete_consumer(connection.subjects.actions_stream, connection.subjects.consumer(lane, target))
    await ensure_consumer(connection, lane, target)
