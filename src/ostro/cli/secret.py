"""`ostro secret`: values that only executors see. They are sealed here, before they reach the database."""

import os
from typing import Final

import msgspec

from ostro.adapters.sql import access
from ostro.adapters.sql.db import Database
from ostro.adapters.vault import AesVault, open_vault
from ostro.cli import rows
from ostro.config import Settings
from ostro.model import sealed
from ostro.model.access import SecretRecord
from ostro.model.errors import InvalidInput, NotFound

_SHORTEST: Final = 4  # characters: blanking shorter texts in results would only garble them
_LONGEST: Final = 65_536


def set_one(settings: Settings, name: str, value: str, project: str) -> str:
    """A sentence about it. Raises InvalidInput for a bad name or value, or without a key."""
    sealed.check_name(name)
    if not project or not project.isprintable():
        raise InvalidInput(f"{project!r} cannot be the name of a project.")
    if not _SHORTEST <= len(value) <= _LONGEST or not value.strip():
        raise InvalidInput(f"A secret has {_SHORTEST} to {_LONGEST} characters, and not only blanks.")
    text = str(_vault(settings).seal(value, name, project))
    now = rows.now()

    def write(db: Database) -> bool:
        existed = access.find_secret(db, name, project) is not None
        record = SecretRecord(project_id=project, name=name, sealed=text, created_at=now, updated_at=None)
        access.save_secrets(db, [record])
        rows.audit(db, project, "secrets:update" if existed else "secrets:create", name)
        return existed

    existed = rows.change(settings, write)
    return f"The secret '{name}' of project {project} is {'changed' if existed else 'stored'}."


def _vault(settings: Settings) -> AesVault:
    return open_vault(settings.secret_key_file, os.environ)


def list_all(settings: Settings, project: str | None) -> list[dict[str, str]]:
    """All secrets as rows of texts, without values. `project` None: of all projects."""
    found = rows.read(settings, lambda db: access.list_secrets(db, project))
    return [_shown(record) for record in found]


def _shown(record: SecretRecord) -> dict[str, str]:
    parts = sealed.parse(record.sealed)
    return {
        "project": record.project_id,
        "name": record.name,
        "key": parts.key_id if parts is not None else "?",
        "created": rows.time_text(record.created_at),
        "updated": "" if record.updated_at is None else rows.time_text(record.updated_at),
    }


def delete(settings: Settings, name: str, project: str) -> str:
    """A sentence about it. Raises NotFound."""

    def write(db: Database) -> None:
        if not access.delete_secret(db, name, project):
            raise NotFound(f"There is no secret '{name}' in project {project}.")
        rows.audit(db, project, "secrets:delete", name)

    rows.change(settings, write)
    return f"The secret '{name}' of project {project} is deleted. Actions that were handed out already still have it."


def rotate(settings: Settings) -> str:
    """Seal all secrets anew by the first key. Raises InvalidInput if one cannot be opened; then nothing is changed."""
    vault = _vault(settings)

    def write(db: Database) -> int:
        changed = []
        for record in access.list_secrets(db, None):
            parts = sealed.parse(record.sealed)
            if parts is None:
                raise InvalidInput(f"The secret '{record.name}' of project {record.project_id} is damaged.")
            value = vault.open(parts, record.project_id)
            text = str(vault.seal(value, record.name, record.project_id))
            changed.append(msgspec.structs.replace(record, sealed=text, updated_at=rows.now()))
        access.save_secrets(db, changed)
        rows.audit(db, "", "secrets:rotate", f"{len(changed)} secrets")
        return len(changed)

    count = rows.change(settings, write)
    return f"{count} secrets are sealed by the first key. Keep the others until what was handed out before is finished."
