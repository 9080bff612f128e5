"""How URLs of databases begin."""

from typing import Final

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = ("postgresql://", "postgres://")
