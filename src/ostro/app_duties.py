"""The part of the composition root that puts together what runs beside the engine: triggers, notifications, upkeep."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ostro.config import ConfigError, Settings
from ostro.model.errors import InvalidInput

if TYPE_CHECKING:
    from ostro.adapters.nats.options import NatsOptions
    from ostro.engine import Owner
    from ostro.engine.duties import DutySettings, DutyStore, RunningDuties
    from ostro.engine.event_definitions import EventDefinition
    from ostro.engine.retention import RetentionSettings
    from ostro.http.egress import EgressPolicy
    from ostro.ports.clock import Clock
    from ostro.ports.engine import Engine
    from ostro.ports.events import EventSource


@asynccontextmanager
async def open_duties(
    settings: Settings,
    store: "DutyStore",
    engine: "Engine",
    clock: "Clock",
    egress: "EgressPolicy",
    *,
    owner: "Owner",
) -> AsyncIterator["RunningDuties"]:
    """The duties, while the block lasts. `engine` reaches all executions, `owner` is this process's own. Raises
    ConfigError."""
    from ostro.engine.duties import running_duties
    from ostro.engine.outbox_publishers import Publishers

    publishers = Publishers(egress)
    own, sources = duty_settings(settings), _sources(settings)
    async with running_duties(store, engine, clock, publishers, own, sources, owner=owner) as duties:
        yield duties


def read_publishers(settings: Settings) -> tuple[dict[str, Any], ...]:
    """The publishers that are told of every execution. Raises ConfigError."""
    if not settings.notify:
        return ()
    try:
        return msgspec.json.decode(_read(settings.notify, "--notify"), type=tuple[dict[str, Any], ...])
    except msgspec.MsgspecError as error:
        raise ConfigError(f"--notify {settings.notify} does not hold a list of publishers: {error}") from error


def read_event_secret(settings: Settings) -> str:
    """What events over HTTP are signed with; "" if they are not. Raises ConfigError."""
    if not settings.event_secret_file:
        return ""
    secret = _read(settings.event_secret_file, "--event-secret-file").decode("utf-8", "replace").strip()
    if not secret:
        raise ConfigError(f"--event-secret-file {settings.event_secret_file} is empty.")
    return secret


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{option} {path} cannot be read: {error.strerror}.") from error


def duty_settings(settings: Settings) -> "DutySettings":
    from ostro.engine.duties import DutySettings
    from ostro.engine.event_definitions import read_definitions
    from ostro.engine.heartbeats import HeartbeatSettings
    from ostro.engine.upkeep import UpkeepSettings

    definitions: tuple[EventDefinition, ...] = ()
    if settings.event_definitions:
        import yaml

        option = f"--event-definitions {settings.event_definitions}"
        try:
            data = yaml.safe_load(_read(settings.event_definitions, "--event-definitions"))
            definitions = tuple(read_definitions(data))
        except (yaml.YAMLError, InvalidInput) as error:
            raise ConfigError(f"{option}: {error}") from error
    return DutySettings(
        event_definitions=definitions,
        expression_budget_ms=settings.expression_budget_ms,
        notify_retry_s=settings.notify_retry,
        heartbeats=HeartbeatSettings(
            interval=settings.heartbeat, misses=settings.heartbeat_misses, first=settings.first_heartbeat
        ),
        retention=_retention(settings),
        upkeep=UpkeepSettings(
            reply_hours=settings.reply_keep, audit_days=settings.audit_keep, revisions=settings.revision_keep
        ),
    )


def _retention(settings: Settings) -> "RetentionSettings":
    from ostro.engine.retention import FINAL, Keep, RetentionSettings

    wrong = [state for state in settings.expiration_ignored_states if state not in FINAL]
    if wrong:
        raise ConfigError(f"--expiration-ignored-states: {', '.join(wrong)}: only {', '.join(FINAL)} can be named.")
    projects: dict[str, Keep] = {}
    for entry in settings.expiration_projects:
        name, equals, limits = entry.rpartition("=")
        minutes, _, most = limits.partition("/")
        try:
            projects[name] = Keep(minutes=float(minutes) if minutes else None, most=int(most) if most else None)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise ConfigError(f"--expiration-projects: '{entry}' is not PROJECT=MINUTES/NUMBER.")
    return RetentionSettings(
        interval=settings.expiration_interval or None,
        keep=Keep(
            minutes=settings.expiration_older_than or None,
            most=settings.expiration_max_finished or None,
        ),
        projects=projects,
        states=tuple(state for state in FINAL if state not in settings.expiration_ignored_states),
        batch=settings.expiration_batch,
    )


def _sources(settings: Settings) -> "list[EventSource]":
    """The buses to hear. Raises ConfigError if what is needed for one is not installed."""
    sources: list[EventSource] = []
    try:
        if settings.event_nats:
            from ostro.adapters.nats.events import NatsEvents

            sources.append(NatsEvents(_event_nats(settings)))
        if settings.event_rabbitmq:
            from ostro.adapters.rabbitmq.events import RabbitEvents

            sources.append(RabbitEvents(settings.event_rabbitmq))
    except ModuleNotFoundError as error:
        raise ConfigError(f"A package is missing ({error.name}): pip install 'ostro[events]'.") from error
    return sources


def _event_nats(settings: Settings) -> "NatsOptions":
    from ostro.adapters.nats.options import NatsOptions

    return NatsOptions(
        servers=settings.event_nats,
        user=settings.event_nats_user,
        password_file=settings.event_nats_password_file,
        token_file=settings.event_nats_token_file,
        credentials_file=settings.event_nats_credentials,
        ca_file=settings.event_nats_ca_file,
        certificate_file=settings.event_nats_certificate_file,
        key_file=settings.event_nats_key_file,
        setting="--event-nats",
    )
