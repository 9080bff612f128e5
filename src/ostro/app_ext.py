"""The part of the composition root that puts together what the extensions of the API need."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ostro.app_parts import installation_key
from ostro.config import ConfigError, Settings

if TYPE_CHECKING:
    from ostro.api.extensions import Extensions
    from ostro.app_core import Core
    from ostro.ports.identity import Authenticator, LogIn


def open_extensions(core: "Core", identity: "Authenticator | None") -> "Extensions":
    """Raises InvalidInput for a file of keys, or with a client's secret, that cannot be used."""
    from ostro.adapters.identity.tokens import new_token
    from ostro.adapters.vault import open_vault
    from ostro.adapters.vault.sessions import RENEWALS, VISITS, SessionSealer
    from ostro.api.extensions import Extensions
    from ostro.api.log_ins import LogIns
    from ostro.api.sessions import Sessions
    from ostro.engine.insight import StoredInsight
    from ostro.engine.live import LiveHub

    settings = core.settings
    hub = core.live
    if hub is None and core.owner is not None:
        hub = LiveHub(core.clock)
        core.owner.tell_commits(hub.committed)
    sessions = None
    if identity is not None:
        sessions = Sessions(SessionSealer(installation_key(settings)), core.clock.now)
    log_in, log_ins = _log_in(settings, identity), None
    if log_in is not None:
        key = installation_key(settings)
        log_ins = LogIns(log_in, SessionSealer(key, VISITS), SessionSealer(key, RENEWALS), core.clock.now)
    return Extensions(
        auth=settings.auth,
        sessions=sessions,
        log_ins=log_ins,
        live=hub,
        insight=StoredInsight(core.store),
        vault=open_vault(settings.secret_key_file, os.environ),
        new_token=new_token,
    )


def _log_in(settings: Settings, identity: "Authenticator | None") -> "LogIn | None":
    """How browsers log in at the issuer; None: they paste a token."""
    from ostro.adapters.identity.oidc import OidcAuthenticator
    from ostro.adapters.identity.oidc_log_in import ClientSettings, OidcLogIn

    if not settings.oidc_client_id or not isinstance(identity, OidcAuthenticator):
        return None
    secret, file = "", settings.oidc_client_secret_file
    if file:
        try:
            secret = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--oidc-client-secret-file {file} cannot be read: {error}") from error
    client = ClientSettings(
        id=settings.oidc_client_id, secret=secret, scopes=settings.oidc_scopes, realm=settings.oidc_realm
    )
    return OidcLogIn(client, identity)
