"""From settings to what single parts are built of. Heavy parts are imported late."""

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ostro.app_duties import read_publishers
from ostro.config import SQLITE, ConfigError, Settings, database_folder, key_file

if TYPE_CHECKING:
    from ostro.executor.registry import Registry
    from ostro.model.actions import ActionInfo


def is_shared(settings: Settings) -> bool:
    """Whether other processes may use the same database."""
    return not settings.database.startswith(SQLITE)


def load_actions(settings: Settings) -> "tuple[Registry, dict[str, ActionInfo]]":
    """What executors can run, and all that workflows can call."""
    from ostro.core.actions import BUILTINS
    from ostro.executor.registry import is_listed, load_registry

    registry = load_registry(
        plugins=settings.plugins,
        allow=settings.action_allowlist,
        deny=settings.action_denylist,
        code=settings.code_sources,
    )
    listed = {
        name: info
        for name, info in BUILTINS.items()
        if is_listed(name, settings.action_allowlist, settings.action_denylist)
    }
    return registry, {**registry.infos, **listed}


def check_exposure(settings: Settings) -> None:
    """Without authentication only loopback addresses are listened on, unless there is no API. Raises ConfigError."""
    if "api" not in settings.roles:
        return
    if settings.auth == "none" and not settings.insecure and not is_loopback(settings.host):
        raise ConfigError(
            f"--host {settings.host}: without authentication Ostro listens on loopback addresses only. "
            "Add --auth token (see `ostro token create`). Anybody who reaches the port could run anything; if that is "
            "what you want, add --insecure."
        )


def make_folder(settings: Settings) -> None:
    """The folder of a database file, readable by its owner only if it is made here."""
    folder = database_folder(settings.database)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"--database: the folder {folder} cannot be made: {error.strerror}.") from error


def is_loopback(host: str) -> bool:
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise ConfigError(f"--host {host}: not an address of this machine ({error}).") from error
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in addresses)


def egress_policy(settings: Settings) -> Any:
    from ostro.http.egress import EgressPolicy

    try:
        return EgressPolicy(
            settings.denied_cidrs,
            settings.allowed_cidrs,
            settings.allowed_hosts,
            allow_loopback=settings.auth == "none" and not settings.insecure and is_loopback(settings.host),
        )
    except ValueError as error:
        raise ConfigError(f"--denied-cidrs or --allowed-cidrs: {error}") from error


def engine_settings(settings: Settings) -> Any:
    from ostro.engine import EngineSettings

    return EngineSettings(
        field_size_limit_kb=settings.field_size_limit_kb,
        items_in_flight=settings.items_in_flight,
        open_commands=settings.open_requests,
        open_commands_of_project=settings.open_requests // 2,
        execution_limits=_numbers(settings.execution_limits, "--execution-limits"),
        action_limits=_numbers(settings.action_limits, "--action-limits"),
        project_weights=project_weights(settings),
        expression_budget_ms=settings.expression_budget_ms,
        publishers=read_publishers(settings),
        system_apis=system_apis(settings),
        key_file=str(key_file(settings)),
        seal_key=_derived_key(settings),
    )


def project_weights(settings: Settings) -> dict[str, int]:
    """By project. Raises ConfigError."""
    return _numbers(settings.project_weights, "--project-weights")


def _numbers(entries: tuple[str, ...], option: str) -> dict[str, int]:
    """NAME=NUMBER, numbers from 1 on. Raises ConfigError."""
    found = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        if not name or not number.isascii() or not number.isdigit() or int(number) < 1:
            raise ConfigError(f"{option}: '{entry}' is not NAME=NUMBER with a number from 1 on.")
        found[name] = int(number)
    return found


def installation_key(settings: Settings) -> Callable[[], bytes]:
    """Reads the key that all processes of an installation share, or makes it."""
    from ostro.engine.vault import read_or_make

    derived = _derived_key(settings)
    return lambda: derived or read_or_make(key_file(settings))


def _derived_key(settings: Settings) -> bytes | None:
    """Where there is no file that all processes could share, the key comes from the keys of secrets."""
    if settings.key_file or settings.database.startswith(SQLITE):
        return None
    from ostro.adapters.vault import derived_key

    return derived_key(settings.secret_key_file, os.environ)


def system_apis(settings: Settings) -> dict[str, str]:
    """Name -> URL. Raises ConfigError."""
    found = {}
    for text in settings.system_apis:
        name, equals, url = text.partition("=")
        if not equals or not name.strip() or not url.startswith(("http://", "https://")):
            raise ConfigError(f"--system-apis {text}: give NAME=URL, such as users=https://users.example.com/api.")
        found[name] = url
    return found


def _host_rules(settings: Settings) -> Any:
    from ostro.http.limits import parse_rule

    try:
        return tuple(parse_rule(text) for text in settings.http_limits)
    except ValueError as error:
        raise ConfigError(f"--http-limits: {error}") from error


def executor_settings(settings: Settings) -> Any:
    from ostro.executor.settings import MIB, ExecutorSettings

    return ExecutorSettings(
        concurrency=settings.action_concurrency,
        threads=settings.action_threads,
        heartbeat=settings.heartbeat,
        drain=settings.drain,
        http_timeout=settings.http_timeout,
        http_max_response_bytes=settings.http_max_response_mb * MIB,
        http_limits=_host_rules(settings),
        http_breakers_file=settings.http_breakers,
        ssh_keys_folder=settings.ssh_keys_folder or None,
        ssh_known_hosts=settings.ssh_known_hosts,
    )
