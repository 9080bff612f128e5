"""The HTTP client that everything shares: one pool of connections under one egress policy.

Guarantees: no request, redirect or proxy reaches an address or host that the policy denies; no response is held
beyond the size limit, however it is sent or compressed; no cookie of one request appears in another. Errors say
what happened without credentials.
"""

import asyncio
import ssl
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from ostro.http.egress import EgressDenied, EgressPolicy
from ostro.http.limits_gate import Gate
from ostro.http.message import MAX_REDIRECTS, Request, Response, basic_auth, has_header, redirected
from ostro.http.resolver import Resolver

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)
_MAX_HEADER_BYTES = 32 * 1024


class HttpFailed(Exception):
    """No usable response. The message says why and holds no secret."""


class HttpClient:
    """`async with HttpClient(egress) as client: response = await client.send(request)`.

    `timeout`: seconds for a request that has no own. `max_response_bytes`: after decompression.
    """

    def __init__(
        self,
        egress: EgressPolicy,
        *,
        timeout: float = 60.0,
        max_response_bytes: int = 5 * 1024 * 1024,
        user_agent: str = "Ostro",
        gate: Gate | None = None,
    ) -> None:
        self._egress = egress
        self._timeout = timeout
        self._max_bytes = max_response_bytes
        self._user_agent = user_agent
        self._gate = gate
        self._contexts: dict[str, ssl.SSLContext] = {}
        connector = aiohttp.TCPConnector(
            limit=0,  # the executor's concurrency is the limit
            resolver=Resolver(egress),
            ttl_dns_cache=10,
            # The last gate: sees every address at the moment of connecting, literals and proxies included.
            socket_factory=egress.guarded_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_TIMEOUT,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()
        if self._gate is not None:
            await self._gate.close()

    async def send(self, request: Request) -> Response:
        """Send, follow redirects if allowed, read the body. Raises EgressDenied, HttpFailed, BadURL (ValueError),
        Limited."""
        limit = self._timeout if request.timeout is None else request.timeout
        try:
            async with asyncio.timeout(limit) as watch:
                return await self._follow(request, watch.when())
        except TimeoutError:
            raise HttpFailed(f"No complete response within {limit:g} seconds") from None
        except EgressDenied:
            raise
        except (aiohttp.ClientError, OSError, UnicodeError) as exc:
            denied = _denial(exc)
            if denied is not None:
                raise denied from None
            raise HttpFailed(_describe(exc)) from None

    async def exchange(self, request: Request, patience: float) -> tuple[Response, str | None]:
        """One request without redirects: the response and its `Location`. `patience`: seconds for the connection, and
        again for each wait while reading. Raises EgressDenied, HttpFailed (too large), Limited, and what aiohttp
        raises: the caller tells apart how far the request came."""
        return await self._exchange(request, [], _patient(patience))

    async def _follow(self, request: Request, deadline: float | None) -> Response:
        history: list[str] = []
        while True:
            response, location = await self._exchange(request, history, deadline=deadline)
            if not request.allow_redirects:
                return response
            following = redirected(request, response.status, location)
            if following is None:
                return response
            history.append(response.url)
            if len(history) > MAX_REDIRECTS:
                raise HttpFailed(f"More than {MAX_REDIRECTS} redirects")
            request = following

    async def _exchange(
        self,
        request: Request,
        history: list[str],
        timeout: aiohttp.ClientTimeout = _NO_TIMEOUT,
        deadline: float | None = None,
    ) -> tuple[Response, str | None]:
        """One request, when the limits of its host let it pass. `deadline`: loop time at which the caller gives up."""
        if self._gate is None:
            return await self._sent(request, history, timeout)
        url = request.url
        patience = request.patience
        if patience is None:
            patience = self._timeout if request.timeout is None else request.timeout
        async with self._gate.passing(f"{url.host}:{url.port}".lower(), request.ticket, patience) as passing:
            try:
                answer = await self._sent(request, history, timeout)
            except (aiohttp.ClientError, OSError) as exc:
                passing.ended = "bad" if _denial(exc) is None else "unknown"
                raise
            except asyncio.CancelledError:
                if deadline is not None and asyncio.get_running_loop().time() >= deadline:
                    passing.ended = "bad"
                raise
            passing.ended = "bad" if answer[0].status >= 500 else "good"
            return answer

    async def _sent(
        self, request: Request, history: list[str], timeout: aiohttp.ClientTimeout
    ) -> tuple[Response, str | None]:
        url, headers = _without_userinfo(request)
        host = url.host or ""
        self._egress.check_host(host)
        proxy = _proxy_for(url, request.proxies)
        if proxy is not None:
            await self._check_behind_proxy(host, url.port or 80)
        if not has_header(headers, "user-agent"):
            headers["User-Agent"] = self._user_agent
        clock = asyncio.get_running_loop().time
        began = clock()
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=request.body,
            allow_redirects=False,
            proxy=proxy,
            ssl=await self._tls(request.verify),
            skip_auto_headers=("Content-Type",),
            timeout=timeout,
        ) as answer:
            elapsed = clock() - began
            body = await self._read(answer)
            merged: dict[str, str] = {}
            for name, raw in answer.headers.items():
                value = _clean(raw)
                merged[name] = f"{merged[name]}, {value}" if name in merged else value
            cookies = {}
            if "Set-Cookie" in answer.headers:
                cookies = {name: _clean(cookie.value) for name, cookie in answer.cookies.items()}
            return Response(
                status=answer.status,
                reason=_clean(answer.reason or ""),
                headers=merged,
                body=body,
                url=str(answer.url),
                history=list(history),
                cookies=cookies,
                elapsed=elapsed,
                charset=answer.charset,
            ), answer.headers.get("Location")

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        limit = self._max_bytes
        size = 0
        parts = []
        if (answer.content_length or 0) <= limit:
            while part := await answer.content.readany():
                size += len(part)
                if size > limit:
                    break
                parts.append(part)
            else:
                return parts[0] if len(parts) == 1 else b"".join(parts)
        answer.close()  # what is still on its way is not wanted
        raise HttpFailed(f"The response is larger than {limit} bytes")

    async def _check_behind_proxy(self, host: str, port: int) -> None:
        """The proxy connects, not we: judge by what the name means here. A name unknown here is the proxy's
        own business."""
        try:
            await self._egress.resolve(host, port)
        except EgressDenied:
            raise
        except OSError:
            return

    async def _tls(self, verify: bool | str) -> ssl.SSLContext | bool:
        if isinstance(verify, bool):
            return verify
        context = self._contexts.get(verify)
        if context is None:
            try:
                context = await asyncio.to_thread(ssl.create_default_context, cafile=verify)
            except OSError:
                raise HttpFailed("'verify' names no readable file of CA certificates") from None
            self._contexts[verify] = context
        return context


@lru_cache(maxsize=64)
def _patient(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=seconds, sock_read=seconds)


def _clean(text: str) -> str:
    """Bytes that are no UTF-8 come as surrogates, which JSON cannot hold: read them as Latin-1 then."""
    if text.isascii():
        return text
    try:
        return text.encode().decode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("iso-8859-1")


def _without_userinfo(request: Request) -> tuple[URL, dict[str, str]]:
    """Credentials of the URL as a header, so that no URL we report holds them."""
    url, headers = request.url, dict(request.headers)
    if url.raw_user is not None or url.raw_password is not None:
        if not has_header(headers, "authorization"):
            headers["Authorization"] = basic_auth([url.user or "", url.password or ""])
        url = url.with_user(None)
    return url, headers


def _proxy_for(url: URL, proxies: dict[str, str]) -> URL | None:
    """The most specific of `scheme://host`, `scheme`, `all://host`, `all`."""
    if not proxies:
        return None
    for key in (f"{url.scheme}://{url.host}", url.scheme, f"all://{url.host}", "all"):
        if proxies.get(key):
            proxy = URL(proxies[key])
            if proxy.scheme not in ("http", "https"):
                raise HttpFailed(f"Proxies of the kind '{proxy.scheme}' are not supported (http and https are)")
            return proxy
    return None


def _denial(error: BaseException | None) -> EgressDenied | None:
    """The policy's refusal that a library's error was made of, if it was."""
    while error is not None:
        if isinstance(error, EgressDenied):
            return error
        error = error.__cause__
    return None


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name of host {error.host} cannot be resolved"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "The server closed the connection without a response"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"The proxy refused the connection with status {error.status}"
    return str(error) or type(error).__name__
