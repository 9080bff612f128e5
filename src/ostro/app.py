"""The composition root: the only place that knows every part and puts them together.

Guarantees that parts end in the reverse order of their start: requests first, then actions, then the engine, then
the store. Heavy parts are imported here and late, so that commands which need none of them start quickly.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ostro
from ostro.app_cluster import Worker, open_cluster, open_worker
from ostro.app_core import Core, open_core, open_local
from ostro.app_duties import read_event_secret
from ostro.app_ext import open_extensions
from ostro.app_figures import metrics_of
from ostro.app_parts import check_exposure, is_shared, make_folder, project_weights, system_apis
from ostro.config import ConfigError, Settings

if TYPE_CHECKING:
    from ostro.api.policy import Policy
    from ostro.ports.identity import Authenticator

__all__ = [
    "Core",
    "Worker",
    "build",
    "check_exposure",
    "create_api",
    "make_folder",
    "open_core",
    "system_apis",
]


@asynccontextmanager
async def open_identity(core: Core) -> "AsyncIterator[Authenticator | None]":
    """How callers prove who they are; None: they need not. Raises ConfigError."""
    settings = core.settings
    if settings.auth == "none":
        yield None
        return
    identity: Authenticator
    if settings.auth == "token":
        from ostro.adapters.identity.tokens import TokenAuthenticator

        identity = TokenAuthenticator(core.store, core.clock)
    elif settings.auth == "oidc":
        from ostro.adapters.identity.oidc import OidcAuthenticator, OidcSettings

        identity = OidcAuthenticator(
            OidcSettings(
                issuer=_needed(settings, "oidc_issuer"),
                audience=settings.oidc_audience,
                project_claim=settings.oidc_project_claim,
                roles_claim=settings.oidc_roles_claim,
                cafile=settings.auth_cafile,
            ),
            core.clock,
        )
    else:
        from ostro.adapters.identity.keystone import KeystoneAuthenticator

        identity = KeystoneAuthenticator(_needed(settings, "keystone_url"), core.clock, cafile=settings.auth_cafile)
    try:
        yield identity
    finally:
        await identity.close()


def _needed(settings: Settings, name: str) -> str:
    value = str(getattr(settings, name))
    if not value:
        raise ConfigError(f"--auth {settings.auth} needs --{name.replace('_', '-')}.")
    return value


def _policy(settings: Settings) -> "Policy":
    from ostro.api.policy import Policy
    from ostro.api.policy_file import PolicyFile

    authenticated = settings.auth != "none"
    if not settings.policy_file:
        return Policy(authenticated=authenticated)
    try:
        return PolicyFile(Path(settings.policy_file), authenticated=authenticated)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--policy-file {settings.policy_file} cannot be read: {error}") from error


def create_api(core: Core, identity: "Authenticator | None" = None) -> Any:
    """The ASGI application of a running core."""
    from ostro.api import create_app
    from ostro.api.page import BUILT as PAGE
    from ostro.api.settings import ApiSettings
    from ostro.api.traffic import Traffic
    from ostro.api.turns import Turns
    from ostro.ports.code import ACTION as CODE_ACTION

    settings = core.settings
    traffic = Traffic()
    turns = Turns(weights=project_weights(settings), most_waiting=settings.open_requests // 2)
    return create_app(
        extensions=open_extensions(core, identity),
        engine=core.engine,
        store=core.store,
        actions={name: info for name, info in core.actions.items() if name != CODE_ACTION},
        identity=identity,
        policy=_policy(settings),
        triggers=core.store,
        automations=core.store,
        duties=core.duties,
        settings=ApiSettings(
            event_secret=read_event_secret(settings),
            public_hosts=settings.public_hosts,
            allowed_origins=settings.allowed_origins,
            # A page that reaches the server by a foreign name cannot act for anybody who has to show a token.
            insecure=settings.insecure or identity is not None,
            code_sources=settings.code_sources,
            audit=settings.audit == "on" or (settings.audit == "auto" and identity is not None),
            max_limit=settings.max_limit,
            max_body_bytes=settings.max_body_mb << 20,
            max_wait_seconds=settings.max_wait,
            allow_action_execution_deletion=settings.allow_action_execution_deletion,
            info_file=settings.info_file or None,
            page=PAGE,
            validation_mode=settings.validation_mode,
            services=core.services,
            metrics=metrics_of(core, traffic, turns).render,
            traffic=traffic,
            turns=turns,
            now=core.clock.now,
            system_apis=system_apis(settings),
            max_step_concurrency=settings.automation_concurrency,
            max_automation_bytes=settings.automation_max_body_mb << 20,
            version=ostro.__version__,
        ),
    )


def create_bare(core: "Core | Worker") -> Any:
    """The ASGI application of a process without the API role."""
    from ostro.api.bare import BareApplication

    return BareApplication(core.check, metrics_of(core).render, ostro.__version__)


@asynccontextmanager
async def build(settings: Settings) -> "AsyncIterator[tuple[Core | Worker, Any]]":
    """What the roles of this process need, and the ASGI application on top of it."""
    check_exposure(settings)
    if set(settings.roles) == {"executor"}:
        async with open_worker(settings) as worker:
            yield worker, create_bare(worker)
        return
    opened = open_cluster if is_shared(settings) else open_local
    async with opened(settings) as core:
        if "api" not in settings.roles:
            yield core, create_bare(core)
            return
        async with open_identity(core) as identity:
            yield core, create_api(core, identity)
