"""Settings: one table for options of `ostro serve`, environment variables and the configuration file.

Guarantees: an option wins over the environment, that over the file, that over the default; a key that does not
exist or a value that does not fit is an error that names where it came from. It opens nothing but the file.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from ostro.model.errors import InvalidInput

ENV_PREFIX = "OSTRO_"
CONFIG_VARIABLE = "OSTRO_CONFIG"
SQLITE = "sqlite:///"
POSTGRESQL = ("postgresql://", "postgres://")
ROLES = ("api", "engine", "executor")

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]
Texts = tuple[str, ...]


class ConfigError(InvalidInput):
    """A setting cannot be used. The message names the setting and where its value came from."""

    code = "config"


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can set, with defaults for one machine. Lists are separated by commas in texts."""

    host: Annotated[str, _doc("Address to listen on. Other than loopback needs --auth or --insecure.")] = "127.0.0.1"
    port: Annotated[Port, _doc("TCP port; 0 takes a free one.")] = 8989
    insecure: Annotated[bool, _doc("Listen on any address, answer to any Host, without authentication.")] = False
    public_hosts: Annotated[Texts, _doc("Names, besides loopback ones, that requests may have as Host.")] = ()
    allowed_origins: Annotated[Texts, _doc("Origins (scheme://host:port) of foreign pages that may call.")] = ()
    roles: Annotated[Texts, _doc("What this process does; other than all three needs PostgreSQL and --nats.")] = ROLES
    name: Annotated[str, _doc("Name of the executor: the `target` of actions for it. Several may share one.")] = "local"
    labels: Annotated[Texts, _doc("Further targets whose actions the executor takes.")] = ()
    shared: Annotated[bool, _doc("Whether the executor takes actions without a target.")] = True

    nats: Annotated[str, _doc("NATS servers that carry the traffic between processes, such as nats://host:4222.")] = ""
    nats_prefix: Annotated[str, _doc("First part of all NATS subjects: installations on one server differ.")] = "ostro"
    nats_user: Annotated[str, _doc("User at NATS, if not in the URL.")] = ""
    nats_password_file: Annotated[str, _doc("File with the password of --nats-user.")] = ""
    nats_token_file: Annotated[str, _doc("File with a token for NATS.")] = ""
    nats_credentials: Annotated[str, _doc("File with NATS credentials (.creds) or the seed of an nkey.")] = ""
    nats_ca_file: Annotated[str, _doc("Certificates to check NATS servers by; empty: the system's.")] = ""
    nats_certificate_file: Annotated[str, _doc("Certificate to show to NATS servers, with its chain.")] = ""
    nats_key_file: Annotated[str, _doc("Key of --nats-certificate-file.")] = ""
    nats_stream_mb: Annotated[Count, _doc("Space for actions on their way that NATS sets aside, in MiB.")] = 1024
    nats_replicas: Annotated[
        Annotated[int, Meta(ge=1, le=5)], _doc("Servers of a NATS cluster that keep each action on its way.")
    ] = 1

    auth: Annotated[
        Literal["none", "token", "oidc", "keystone"],
        _doc("How callers prove who they are; none: not at all, on loopback addresses only."),
    ] = "none"
    policy_file: Annotated[
        str, _doc("YAML file with policy rules in place of the built-in ones; read again when it changes.")
    ] = ""
    audit: Annotated[
        Literal["auto", "on", "off"], _doc("Log every change in the database; auto: if there is authentication.")
    ] = "auto"
    oidc_issuer: Annotated[str, _doc("Issuer of tokens; Keycloak: its base address, all its realms.")] = ""
    oidc_audience: Annotated[str, _doc("Audience that tokens must be made for; empty: any.")] = ""
    oidc_project_claim: Annotated[str, _doc("Claim with the project; empty: the realm is the project.")] = ""
    oidc_roles_claim: Annotated[str, _doc("Claim with the roles; dots lead into maps.")] = "realm_access.roles"
    oidc_client_id: Annotated[
        str, _doc("Client at the issuer by which browsers log in; empty: they paste a token.")
    ] = ""
    oidc_client_secret_file: Annotated[str, _doc("File with that client's secret; empty: a public client.")] = ""
    oidc_scopes: Annotated[Texts, _doc("What browsers' log-ins ask the issuer for.")] = ("openid", "profile", "email")
    oidc_realm: Annotated[str, _doc("Realm that browsers log in to, if --oidc-issuer is the base of several.")] = ""
    keystone_url: Annotated[str, _doc("Address of Keystone's v3 API, such as https://cloud:5000/v3.")] = ""
    auth_cafile: Annotated[str, _doc("Certificates to check the issuer or Keystone by; empty: the system's.")] = ""
    secret_key_file: Annotated[
        str, _doc("File with the keys of secrets. Without it they come from the variable OSTRO_SECRET_KEY.")
    ] = ""
    code_sources: Annotated[bool, _doc("Let administrators upload Python actions; they run in a child process.")] = True

    database: Annotated[
        str, _doc("SQLite file, sqlite:/// or postgresql:// URL. Default: ostro.sqlite3 in the data folder.")
    ] = ""
    key_file: Annotated[
        str,
        _doc("File with the key that seals callers' tokens; made if need be, the same for all processes of a cluster. "
             "Default: beside the SQLite file; with PostgreSQL derived from the oldest secret key, else ostro.key in "
             "the data folder."),
    ] = ""  # fmt: skip
    durability: Annotated[
        Literal["full", "normal"], _doc("full: what was answered survives power loss; normal: a killed process.")
    ] = "full"

    validation_mode: Annotated[
        Literal["mandatory", "enabled", "disabled"],
        _doc("Check definitions always, unless skip_validation is given, or never."),
    ] = "mandatory"
    max_limit: Annotated[Count, _doc("Most rows of one page of a list; without `limit` a page has 1000.")] = 20_000
    max_body_mb: Annotated[Count, _doc("Largest request body, in MiB.")] = 16
    open_requests: Annotated[
        Annotated[int, Meta(ge=2)], _doc("Requests that may wait for the engine, of one project half as many.")
    ] = 20_000
    max_wait: Annotated[Seconds, _doc("Longest wait of a request with `Prefer: wait=N`, in seconds.")] = 300.0
    allow_action_execution_deletion: Annotated[bool, _doc("Let clients delete finished action executions.")] = False
    info_file: Annotated[str, _doc("JSON file that GET /info shows; empty: no such page.")] = ""

    field_size_limit_kb: Annotated[
        Annotated[int, Meta(ge=-1)], _doc("Largest input, result or published value, in KiB; -1: none.")
    ] = 1024
    expression_budget_ms: Annotated[
        Annotated[float, Meta(ge=1)], _doc("Milliseconds that one expression may take.")
    ] = 250.0
    execution_limits: Annotated[
        Texts, _doc("PROJECT=NUMBER or PROJECT/WORKFLOW=NUMBER: root executions that may run; * is each project.")
    ] = ()
    action_limits: Annotated[
        Texts, _doc("PROJECT=NUMBER or PROJECT/WORKFLOW=NUMBER: actions that executors may run; * is each project.")
    ] = ()
    project_weights: Annotated[
        Texts, _doc("PROJECT=NUMBER: turns that a project's executions get before the next project's; else 1.")
    ] = ()
    items_in_flight: Annotated[Count, _doc("Items of one with-items task that run at the same time at most.")] = 1000

    denied_cidrs: Annotated[Texts, _doc("Networks that actions may not connect to.")] = ()
    allowed_cidrs: Annotated[Texts, _doc("Networks that actions may connect to, whatever else is denied.")] = ()
    allowed_hosts: Annotated[Texts, _doc("Host names or patterns that actions may connect to; empty: all.")] = ()

    system_apis: Annotated[Texts, _doc("NAME=URL of services, which automations see as SYSTEM_APIS.NAME.")] = ()
    automation_concurrency: Annotated[Count, _doc("Largest `concurrency` of an automation's step.")] = 64
    automation_max_body_mb: Annotated[Count, _doc("Largest request body of the API for automations, in MiB.")] = 4

    plugins: Annotated[bool, _doc("Load actions of installed packages (entry points).")] = True
    action_allowlist: Annotated[Texts, _doc("Patterns of actions that may be used, besides pure built-in ones.")] = ()
    action_denylist: Annotated[Texts, _doc("Patterns of actions that may not be used.")] = ()
    action_concurrency: Annotated[Count, _doc("Actions that run at the same time.")] = 500
    action_threads: Annotated[Count, _doc("Plug-in actions in threads that run at the same time.")] = 64
    heartbeat: Annotated[Seconds, _doc("Seconds between reports of a running action; 0: none.")] = 20.0
    drain: Annotated[Seconds, _doc("Seconds that running actions get to finish when Ostro stops.")] = 30.0
    http_timeout: Annotated[Seconds, _doc("Time limit of std.http in seconds, unless the action gives one.")] = 60.0
    http_max_response_mb: Annotated[Count, _doc("Largest response that std.http takes, in MiB.")] = 5
    http_limits: Annotated[
        Texts, _doc("What hosts are spared, first match holds: *.example.com;rate=10;in-flight=4;failures=5;open=30.")
    ] = ()
    http_breakers: Annotated[
        str, _doc("File for open circuit breakers. Default: http_breakers.json in the data folder.")
    ] = ""
    ssh_keys_folder: Annotated[str, _doc("Folder of private_key_filename of std.ssh; empty: refused.")] = ""
    ssh_known_hosts: Annotated[str, _doc("Host keys of std.ssh. Default: ssh_known_hosts in the data folder.")] = ""

    event_secret_file: Annotated[str, _doc("File with the secret that signs events over HTTP; empty: unsigned.")] = ""
    event_definitions: Annotated[str, _doc("YAML file that says what executions are told of their events.")] = ""
    event_nats: Annotated[str, _doc("NATS server to take events from, such as nats://host:4222; empty: none.")] = ""
    event_nats_user: Annotated[str, _doc("User at that server, if not in the URL.")] = ""
    event_nats_password_file: Annotated[str, _doc("File with the password of --event-nats-user.")] = ""
    event_nats_token_file: Annotated[str, _doc("File with a token for that server.")] = ""
    event_nats_credentials: Annotated[str, _doc("File with credentials (.creds) or the seed of an nkey for it.")] = ""
    event_nats_ca_file: Annotated[str, _doc("Certificates to check that server by; empty: the system's.")] = ""
    event_nats_certificate_file: Annotated[str, _doc("Certificate to show to that server, with its chain.")] = ""
    event_nats_key_file: Annotated[str, _doc("Key of --event-nats-certificate-file.")] = ""
    event_rabbitmq: Annotated[
        str, _doc("RabbitMQ server to take events from, such as amqp://user:password@host/; empty: none.")
    ] = ""
    notify: Annotated[str, _doc("JSON file with publishers that are told of every execution.")] = ""
    notify_retry: Annotated[Seconds, _doc("Seconds that a notification is tried to be delivered.")] = 900.0
    expiration_interval: Annotated[Seconds, _doc("Minutes between deletions of old executions; 0: they are kept.")] = (
        0.0
    )
    expiration_older_than: Annotated[
        Seconds, _doc("Minutes that finished executions are kept; 0: whatever their age.")
    ] = 0.0
    expiration_max_finished: Annotated[
        Annotated[int, Meta(ge=0)], _doc("Finished executions that are kept of each project; 0: any number.")
    ] = 0
    expiration_ignored_states: Annotated[Texts, _doc("Final states of executions that are never deleted.")] = ()
    expiration_projects: Annotated[
        Texts, _doc("PROJECT=MINUTES/NUMBER: other limits for a project; either may be left out.")
    ] = ()
    expiration_batch: Annotated[Count, _doc("Executions that are deleted at once.")] = 50
    audit_keep: Annotated[Seconds, _doc("Days that entries of the audit log are kept; 0: for ever.")] = 365.0
    reply_keep: Annotated[Seconds, _doc("Hours that answers to an Idempotency-Key are kept; 0: for ever.")] = 24.0
    revision_keep: Annotated[
        Annotated[int, Meta(ge=0)],
        _doc("Newest texts of a workflow that are kept, besides those that executions run; 0: all."),
    ] = 50
    heartbeat_misses: Annotated[
        Annotated[int, Meta(ge=0)], _doc("Heartbeats that an action may miss before it fails; 0: any number.")
    ] = 15
    first_heartbeat: Annotated[Seconds, _doc("Seconds that an action may wait for an executor.")] = 3600.0

    log_level: Annotated[Literal["debug", "info", "warning", "error"], _doc("Least level that is logged.")] = "info"
    log_format: Annotated[
        Literal["auto", "text", "json"], _doc("Lines for people or JSON; auto: JSON unless on a terminal.")
    ] = "auto"
    access_log: Annotated[bool, _doc("Log every request.")] = False


class Setting(msgspec.Struct, frozen=True):
    """One row of the table. `kind`: bool, int, float, str, list, or the tuple of choices."""

    name: str
    kind: Any
    default: Any
    text: str
    hint: Any  # the annotated type, for conversion

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENV_PREFIX + self.name.upper()

    @property
    def default_text(self) -> str:
        """The default as one would write it in an option; "" for an empty one."""
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        if isinstance(self.default, tuple):
            return ",".join(self.default)
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


def _table() -> dict[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    table = {}
    for name, hint in hints.items():
        base, *metas = get_args(hint)
        kind: Any = base
        if get_origin(base) is Literal:
            kind = get_args(base)
        elif get_origin(base) is tuple:
            kind = list
        text = next(meta.description for meta in metas if meta.description)
        table[name] = Setting(name, kind, defaults[name], text, hint)
    return table


TABLE = _table()


def load(
    options: Mapping[str, Any], environment: Mapping[str, str] | None = None, config: str | None = None
) -> Settings:
    """Settings from options (None = not given), environment and file. `config`: a file that must exist, else
    OSTRO_CONFIG, else the first default place that exists. Raises ConfigError."""
    environment = os.environ if environment is None else environment
    path, required = _config_path(environment, config)
    values: dict[str, Any] = {}
    if path is not None:
        for key, value in _read_file(path, required).items():
            name = key.replace("-", "_")
            if name not in TABLE:
                raise ConfigError(f"{path}: there is no setting '{key}'.{_near(name)}")
            values[name] = _convert(TABLE[name], value, f"{path}: {key}")
    for name, setting in TABLE.items():
        if setting.variable in environment:
            values[name] = _convert(setting, environment[setting.variable], setting.variable)
        if options.get(name) is not None:
            values[name] = _convert(setting, options[name], setting.option)
    return _completed(Settings(**values), environment)


def default_config_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration file is looked for, in this order."""
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", "/"), ".config")
    return Path(home, "ostro", "ostro.toml"), Path("/etc/ostro/ostro.toml")


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where Ostro keeps data unless told otherwise."""
    home = environment.get("XDG_DATA_HOME") or os.path.join(environment.get("HOME", "/"), ".local", "share")
    return Path(home, "ostro")


def database_url(database: str) -> str:
    """The URL of a file given by path; URLs are returned as they are. Raises ConfigError for other databases."""
    if "://" not in database:
        return f"{SQLITE}{Path(database).expanduser().absolute()}"
    if not database.startswith((SQLITE, *POSTGRESQL)):
        kind = database.partition("://")[0]
        raise ConfigError(
            f"--database: '{kind}' is no database that Ostro can use; give a file, sqlite:///FILE or"
            " postgresql://USER@HOST/NAME."
        )
    return database


def database_folder(url: str) -> Path | None:
    """The folder of the database's file; None: it has none."""
    return Path(url.removeprefix(SQLITE)).parent if url.startswith(SQLITE) else None


def key_file(settings: Settings) -> Path:
    """Where the installation's own key is, or will be made."""
    if settings.key_file or settings.database.startswith(SQLITE):
        return Path(settings.key_file or f"{settings.database.removeprefix(SQLITE)}.key")
    return data_folder(os.environ) / "ostro.key"


def _completed(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Defaults that depend on the machine, and rules across settings."""
    folder = data_folder(environment)
    database = database_url(settings.database or str(folder / "ostro.sqlite3"))
    _check_roles(settings, database)
    return msgspec.structs.replace(
        settings,
        database=database,
        http_breakers=settings.http_breakers or str(folder / "http_breakers.json"),
        ssh_known_hosts=settings.ssh_known_hosts or str(folder / "ssh_known_hosts"),
    )


def _check_roles(settings: Settings, database: str) -> None:
    """What can work together. Raises ConfigError."""
    given = ",".join(settings.roles)
    wrong = [role for role in settings.roles if role not in ROLES]
    if wrong or not settings.roles:
        raise ConfigError(f"--roles {given}: roles are {', '.join(ROLES)}.")
    if not settings.name:
        raise ConfigError("--name: give a name, or leave it out.")
    if not settings.nats and set(settings.roles) != set(ROLES):
        raise ConfigError(f"--roles {given}: the other roles are in other processes, which are reached by --nats only.")
    if settings.nats and set(settings.roles) != {"executor"} and database.startswith(SQLITE):
        raise ConfigError("--nats: several processes need a database that they can share: --database postgresql://...")


def _config_path(environment: Mapping[str, str], config: str | None) -> tuple[Path | None, bool]:
    given = config or environment.get(CONFIG_VARIABLE)
    if given:
        return Path(given), True
    return next((path for path in default_config_files(environment) if path.is_file()), None), False


def _read_file(path: Path, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"The configuration file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration file {path} is not TOML: {error}") from error


def _convert(setting: Setting, value: Any, source: str) -> Any:
    if setting.kind is list and isinstance(value, str):
        value = [part for part in re.split(r"[,\s]+", value) if part]
    if setting.kind is bool and isinstance(value, str):
        value = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), value)
    try:
        return msgspec.convert(value, setting.hint, strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {value!r} is not {_wanted(setting)} ({error}).") from None


def _wanted(setting: Setting) -> str:
    if isinstance(setting.kind, tuple):
        return "one of " + ", ".join(setting.kind)
    words = {bool: "true or false", int: "a whole number in range", float: "a number in range", str: "a text"}
    return words.get(setting.kind, "a list of texts")


def _near(name: str) -> str:
    import difflib

    matches = difflib.get_close_matches(name, TABLE, n=1)
    return f" Is '{matches[0]}' meant?" if matches else ""
