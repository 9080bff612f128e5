"""Tables about who may do what, by the records of `model.access`."""

from typing import Final

import msgspec

from ostro.model.access import (
    AuditRecord,
    CodeSourceRecord,
    DynamicActionRecord,
    MemberRecord,
    SecretRecord,
    TokenRecord,
)

ACCESS_TABLES: Final[dict[str, type[msgspec.Struct]]] = {
    "tokens": TokenRecord,
    "members": MemberRecord,
    "secrets": SecretRecord,
    "audit": AuditRecord,
    "code_sources": CodeSourceRecord,
    "dynamic_actions": DynamicActionRecord,
}
