"""Keys by which a server knows a request that is sent again."""

import secrets
import time
from uuid import UUID


def new_key() -> str:
    """An `Idempotency-Key`: a UUID of version 7 (RFC 9562). The server gives its time to what the request makes: new
    executions then lie together in its database."""
    milliseconds = time.time_ns() // 1_000_000
    return str(UUID(int=milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)))
