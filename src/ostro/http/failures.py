"""How far a request came that failed: the kinds of `ostro.model.retry`, from what the client raises."""

import asyncio

import aiohttp
from aiohttp import http_exceptions

from ostro.http.client import HttpFailed, _denial, _describe
from ostro.model.retry import CONNECT, FATAL, OTHER, READ, Kind

# Certificates and TLS are neither: urllib3 counts them as "other".
_TLS = (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError)
_CONNECT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientProxyConnectionError)
_READ = (
    aiohttp.ServerTimeoutError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientResponseError,
    aiohttp.http_exceptions.BadHttpMessage,
    ConnectionError,
    TimeoutError,
    asyncio.IncompleteReadError,
)


def kind_of(error: Exception, patience: float) -> tuple[Kind, str]:
    """(kind, message for people without secrets) of what `HttpClient.exchange` raised."""
    denied = _denial(error)
    if denied is not None:
        return FATAL, str(denied)
    if isinstance(error, HttpFailed | aiohttp.InvalidURL | ValueError):
        return FATAL, str(error)
    if isinstance(error, _TLS):
        return OTHER, _describe(error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return CONNECT, f"No connection within {patience:g} seconds"
    if isinstance(error, _CONNECT):
        return CONNECT, _describe(error)
    if _is_undecodable(error):
        return OTHER, "The response cannot be decoded"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return OTHER, _describe(error)
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return READ, f"Nothing was read for {patience:g} seconds"
    if isinstance(error, _READ):
        return READ, _describe(error)
    return OTHER, _describe(error)


def _is_undecodable(error: BaseException | None) -> bool:
    """A body that is not what its Content-Encoding says."""
    while error is not None:
        if isinstance(error, http_exceptions.ContentEncodingError):
            return True
        error = error.__cause__ or error.__context__
    return False
