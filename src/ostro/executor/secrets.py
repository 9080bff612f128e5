"""The one place where secrets are opened: between a job and the action that runs it.

Guarantees that what an action gave back or failed with does not hold a secret of its own input, also when it is
written in JSON, percent-encoded or in base64.
"""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from ostro.executor.outcome import Outcome
from ostro.model.commands import ActionJob
from ostro.model.errors import InvalidInput
from ostro.model.sealed import Sealed, is_sealed_inside, opened
from ostro.model.secrets import HIDDEN, hidden_text
from ostro.model.states import ERROR
from ostro.ports.secrets import Vault

_LONG_LINE = 16  # of a value in several lines: short lines are not secret by themselves


async def with_secrets(
    job: ActionJob, vault: Vault | None, perform: Callable[[ActionJob], Awaitable[Outcome]]
) -> Outcome:
    """What `perform` makes of the job with its secrets opened; costs one walk over the input of a job without."""
    if not is_sealed_inside(job.input):
        return await perform(job)
    if vault is None:
        return Outcome(ERROR, "The action's input has secrets, and this executor has no key for them.")
    known: list[str] = []

    def open_one(sealed: Sealed) -> str:
        value = vault.open(sealed, job.project_id)
        known.append(value)
        return value

    try:
        real = msgspec.structs.replace(job, input=opened(job.input, open_one))
    except InvalidInput as error:
        return Outcome(ERROR, error.message)
    outcome = await perform(real)
    return Outcome(outcome.state, blanked(outcome.result, spellings(known)))


def blanked(value: Any, secrets: Sequence[str]) -> Any:
    """The JSON value with every secret in its texts, keys and numbers replaced."""
    if isinstance(value, str):
        return hidden_text(value, secrets)
    if isinstance(value, dict):
        return {hidden_text(key, secrets): blanked(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [blanked(inner, secrets) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and str(value) in secrets:
        return HIDDEN
    return value


def spellings(values: list[str]) -> list[str]:
    """The values and how they are written in other places, the longest first."""
    found: set[str] = set()
    for value in values:
        raw = value.encode("utf-8", "surrogatepass")
        encoded = base64.b64encode(raw).decode()
        found |= {
            value,
            value.strip(),
            quote(value, safe="", errors="replace"),
            encoded,
            encoded.rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            msgspec.json.encode(value).decode()[1:-1],
        }
        found |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _LONG_LINE}
    return sorted((text for text in found if text), key=len, reverse=True)
