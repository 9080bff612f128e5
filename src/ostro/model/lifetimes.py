"""How long something lives, as people write it: `90d`, `12h`, `30m`, `1y` or `never`."""

import re
from typing import Final

from ostro.model.errors import InvalidInput

TOKEN_LIFE: Final = "90d"  # of an API token, unless its maker says otherwise
_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_LIFE: Final = re.compile(r"([0-9]{1,6})([mhdy])")
_LATEST: Final = 253_370_764_800_000_000  # the year 9999 begins: what comes later cannot be told as a date


def end_of_life(text: str, now: int) -> int | None:
    """Microseconds since the epoch; None for `never`. Raises InvalidInput."""
    if text == "never":
        return None
    match = _LIFE.fullmatch(text)
    end = None if match is None else now + int(match[1]) * _UNITS[match[2]] * 1_000_000
    if end is None or end >= _LATEST:
        raise InvalidInput(f"'{text[:50]}' is no lifetime: give a number and m, h, d or y, such as 90d, or 'never'.")
    return end
