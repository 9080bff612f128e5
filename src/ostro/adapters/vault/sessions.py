"""Seals browsers' sessions by AES-256-GCM, with a key of their own that is derived from the installation's.

So nothing that the installation's key has sealed for another purpose opens as a session.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SESSIONS: Final = b"ostro browser session 1"
VISITS: Final = b"ostro browser visit 1"  # to an issuer, to log in there
RENEWALS: Final = b"ostro browser renewal 1"
MESSAGES: Final = b"ostro message 1"  # between processes
_NONCE_BYTES: Final = 12


class SessionSealer:
    """Implements `ports.secrets.Sealer`. `read_key`: the installation's key, asked for once and when it is needed.
    `purpose`: what was sealed for another does not open."""

    def __init__(self, read_key: Callable[[], bytes], purpose: bytes = SESSIONS) -> None:
        self._read_key = read_key
        self._purpose = purpose
        self._key: AESGCM | None = None

    def seal(self, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        data = nonce + self._aes().encrypt(nonce, text.encode(), self._purpose)
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def open(self, sealed: str) -> str | None:
        try:
            data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            return self._aes().decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], self._purpose).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None

    def _aes(self) -> AESGCM:
        if self._key is None:
            self._key = AESGCM(hmac.digest(self._read_key(), self._purpose, hashlib.sha256))
        return self._key
