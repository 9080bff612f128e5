"""Keys of NATS users (nkeys): Ed25519 seeds and public keys in base32, as `nk` and `nsc` write them."""

import base64
import binascii
import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ostro.model.errors import InvalidInput

SEED: Final = 18 << 3  # what the first byte says that a text is
USER: Final = 20 << 3

_BLOCK: Final = re.compile(r"-{3,}BEGIN ([A-Z ]+)-{3,}\s*(\S+)\s*-{3,}END")


class UserKey:
    """What proves who a user is: a seed, and the JWT of an account's user if the server wants one."""

    __slots__ = ("_private", "jwt")

    def __init__(self, seed: str, jwt: str | None = None, *, option: str = "--nats-credentials") -> None:
        """Raises InvalidInput for what is no seed of a user; the text is not in the message."""
        self._private = Ed25519PrivateKey.from_private_bytes(_raw_seed(seed, USER, option))
        self.jwt = jwt

    @property
    def public(self) -> str:
        return encoded(USER, self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, nonce: str) -> bytes:
        """As the server wants it to be sent."""
        return base64.b64encode(self._private.sign(nonce.encode()))


def read_key(text: str, option: str = "--nats-credentials") -> UserKey:
    """From the text of a file that an option names: a seed alone, or a .creds file. Raises InvalidInput."""
    blocks = dict(_BLOCK.findall(text))
    if blocks:
        if "USER NKEY SEED" not in blocks or "NATS USER JWT" not in blocks:
            raise InvalidInput(f"{option}: the file needs a user's JWT and seed.")
        return UserKey(blocks["USER NKEY SEED"], blocks["NATS USER JWT"], option=option)
    return UserKey(text.strip(), option=option)


def _raw_seed(text: str, kind: int, option: str) -> bytes:
    wrong = InvalidInput(f"{option}: the file holds no seed of a user's nkey.")
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise wrong from None
    if len(data) != 36 or binascii.crc_hqx(data[:-2], 0) != int.from_bytes(data[-2:], "little"):
        raise wrong
    if data[0] & 0xF8 != SEED or (data[0] & 0x07) << 5 | data[1] >> 3 != kind:
        raise wrong
    return data[2:-2]


def encoded(kind: int, raw: bytes) -> str:
    """A public key as text."""
    return _with_check(bytes([kind]) + raw)


def encoded_seed(kind: int, raw: bytes) -> str:
    return _with_check(bytes([SEED | kind >> 5, (kind & 31) << 3]) + raw)


def _with_check(data: bytes) -> str:
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")
