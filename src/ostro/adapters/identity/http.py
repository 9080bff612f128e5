"""Requests to the service that knows callers: short, bounded, and never following it elsewhere."""

import ssl
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from ostro.model.errors import InvalidInput, Unavailable

_SECONDS: Final = 10.0
_MOST_BYTES: Final = 1 << 20


class IdentityHttp:
    """One connection pool. `name`: how errors call the service. `cafile`: certificates to check it by."""

    def __init__(self, name: str, cafile: str = "") -> None:
        """InvalidInput for certificates that cannot be read."""
        self._name = name
        self._session: aiohttp.ClientSession | None = None
        try:
            self._tls: ssl.SSLContext | bool = ssl.create_default_context(cafile=cafile) if cafile else True
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"--auth-cafile {cafile} cannot be used: {error}") from error

    async def get(self, url: str, headers: Mapping[str, str] = {}) -> tuple[int, bytes]:
        """Status and body. Unavailable if there is no answer in time, or one that is too long."""
        return await self._request("GET", url, headers)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] = {}) -> tuple[int, bytes]:
        """As `get`, with a form for a body."""
        return await self._request("POST", url, headers, form)

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        try:
            async with self._session.request(
                method, url, headers=headers, data=form, ssl=self._tls, allow_redirects=False
            ) as answer:
                body = bytearray()
                async for part in answer.content.iter_any():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise Unavailable(f"{self._name} answers with more than {_MOST_BYTES} bytes.")
                return answer.status, bytes(body)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:  # ValueError: an address that is none
            raise Unavailable(f"{self._name} cannot be reached: {type(error).__name__}.") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def shape_error(name: str, what: str) -> Unavailable:
    """The service answers, but not with what it should."""
    return Unavailable(f"{name} does not answer as expected: {what}.")


Json = dict[str, Any]
