"""Keeps secrets by AES-256-GCM. Keys come from a file or from the environment, the newest first.

Name and project are authenticated with the value: a ciphertext moved to another name or project does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ostro.model.errors import InvalidInput
from ostro.model.sealed import Sealed

VARIABLE: Final = "OSTRO_SECRET_KEY"
_KEY_BYTES: Final = 32
_INSTALLATION: Final = b"ostro installation key 1"
_NONCE_BYTES: Final = 12


def new_key() -> str:
    """A random key, as `AesVault` takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


class AesVault:
    """Implements `ports.secrets.Vault`. `keys`: base64 texts of 32 bytes; the first seals, all open."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises InvalidInput for a key that is none; its text is not in the message."""
        self._keys: dict[str, AESGCM] = {}
        for number, text in enumerate(keys, 1):
            try:
                raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
            except (binascii.Error, ValueError):
                raw = b""
            if len(raw) != _KEY_BYTES:
                raise InvalidInput(
                    f"Secret key {number} is not {_KEY_BYTES} bytes in base64. Make one: ostro secret key."
                )
            self._keys.setdefault(hashlib.sha256(raw).hexdigest()[:8], AESGCM(raw))

    def seal(self, value: str, name: str, project_id: str) -> Sealed:
        if not self._keys:
            raise InvalidInput(f"There is no key for secrets: give --secret-key-file or {VARIABLE}.")
        key_id, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        data = nonce + key.encrypt(nonce, value.encode(), _bound(name, project_id))
        return Sealed(name, key_id, base64.urlsafe_b64encode(data).decode().rstrip("="))

    def open(self, sealed: Sealed, project_id: str) -> str:
        key = self._keys.get(sealed.key_id)
        if key is None:
            raise InvalidInput(f"The secret '{sealed.name}' cannot be opened: the key {sealed.key_id} is not here.")
        try:
            data = base64.urlsafe_b64decode(sealed.ciphertext + "=" * (-len(sealed.ciphertext) % 4))
            opened = key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound(sealed.name, project_id))
        except (InvalidTag, binascii.Error, ValueError):
            raise InvalidInput(f"The secret '{sealed.name}' is not one of this project, or is damaged.") from None
        return opened.decode()


def _bound(name: str, project_id: str) -> bytes:
    return f"{name}\0{project_id}".encode()


def derived_key(file: str, environment: Mapping[str, str]) -> bytes | None:
    """A key for an installation whose processes share nothing but the keys of secrets: from the oldest of them, so that
    it stays when a new one is added. URL-safe base64 of 32 bytes; None without a key. Raises InvalidInput."""
    texts = _texts(file, environment)
    if not texts:
        return None
    AesVault(texts)  # refuses what is no key
    raw = base64.b64decode(texts[-1].strip().replace("-", "+").replace("_", "/"))
    return base64.urlsafe_b64encode(hmac.digest(raw, _INSTALLATION, hashlib.sha256))


def open_vault(file: str, environment: Mapping[str, str]) -> AesVault:
    """By the keys of a file (one a line, `#` begins a comment), else of the environment (blanks between them).
    Raises InvalidInput."""
    return AesVault(_texts(file, environment))


def _texts(file: str, environment: Mapping[str, str]) -> list[str]:
    if not file:
        return environment.get(VARIABLE, "").split()
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"--secret-key-file {file} cannot be read: {type(error).__name__}.") from error
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
