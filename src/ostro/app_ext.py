"""The part of the composition root that puts together what the extensions of the API need."""

import os
from typing import TYPE_CHECKING

from ostro.app_parts import installation_key

if TYPE_CHECKING:
    from ostro.api.extensions import Extensions
    from ostro.app import Core
    from ostro.ports.identity import Authenticator


def open_extensions(core: "Core", identity: "Authenticator | None") -> "Extensions":
    """Raises InvalidInput for a key file of secrets that cannot be used."""
    from ostro.adapters.identity.tokens import new_token
    from ostro.adapters.vault import open_vault
    from ostro.adapters.vault.sessions import SessionSealer
    from ostro.api.extensions import Extensions
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
    return Extensions(
        auth=settings.auth,
        sessions=sessions,
        live=hub,
        insight=StoredInsight(core.store),
        vault=open_vault(settings.secret_key_file, os.environ),
        new_token=new_token,
    )
