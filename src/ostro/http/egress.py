"""Where outgoing connections may go, decided at connect time by the address that is really used.

Guarantees: a connection made through `open_socket`, `guarded_socket` or `Resolver` never reaches a denied
address, whatever a name resolves to and however often its answer changes. It does not know what the
connection is for.

Order of the rules, the first that matches wins: allowed networks; denied networks; loopback (allowed by
`allow_loopback`); link-local, cloud metadata and other addresses that mean "this machine". An address that
wraps an IPv4 address (mapped, NAT64, 6to4) is judged by the wrapped one too.
"""

import asyncio
import fnmatch
import ipaddress
import socket
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = tuple(ipaddress.ip_network(n) for n in ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"))
_NEVER = tuple(
    ipaddress.ip_network(n)
    for n in (
        "169.254.0.0/16",  # link-local; metadata of AWS, GCP, Azure, OpenStack
        "fe80::/10",
        "fd00:ec2::/32",  # AWS metadata over IPv6
        "fd20:ce::254/128",  # GCP metadata over IPv6
        "100.100.100.200/32",  # Alibaba Cloud metadata
        "192.0.0.192/32",  # Oracle Cloud metadata
        "168.63.129.16/32",  # Azure wire server
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class EgressDenied(OSError):
    """The policy refuses a host or an address. The message is for people and holds no secret."""


class EgressPolicy:
    """The rules of one process; immutable after construction.

    `denied`, `allowed`: networks as CIDR texts; allowed ones win over everything else.
    `allowed_hosts`: exact names, or patterns as `*.example.com`; empty means every host.
    `allow_loopback`: 127.0.0.0/8, ::1 and the unspecified addresses are fine.
    Raises ValueError for a text that is no network.
    """

    def __init__(
        self,
        denied: Sequence[str] = (),
        allowed: Sequence[str] = (),
        allowed_hosts: Sequence[str] = (),
        *,
        allow_loopback: bool = False,
    ) -> None:
        self._denied = tuple(ipaddress.ip_network(n, strict=False) for n in denied)
        self._allowed = tuple(ipaddress.ip_network(n, strict=False) for n in allowed)
        self._allowed_hosts = tuple(host.lower() for host in allowed_hosts)
        self._allow_loopback = allow_loopback
        self._is_allowed = lru_cache(maxsize=4096)(self._judge)
        self._refusal = lru_cache(maxsize=4096)(self._judge_host)

    def is_allowed(self, address: str) -> bool:
        """Whether a connection to this IP address (text, may have a zone) is fine."""
        return self._is_allowed(address)

    def check_host(self, host: str) -> None:
        """Check a host as written, before it is resolved: the host list, and the address if it is one.
        Raises EgressDenied."""
        refusal = self._refusal(host)
        if refusal:
            raise EgressDenied(refusal)

    def check_address(self, host: str, address: str) -> None:
        """Raises EgressDenied if `host`, resolved to `address`, may not be reached."""
        if not self._is_allowed(address):
            raise EgressDenied(_blocked(host, address))

    def guarded_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one entry of getaddrinfo, or EgressDenied. For clients that connect by themselves:
        the address checked here is the one that gets connected."""
        family, kind, proto, _, target = info
        self.check_address(str(target[0]), str(target[0]))
        return socket.socket(family, kind, proto)

    async def resolve(self, host: str, port: int, family: int = 0) -> list[tuple[Any, ...]]:
        """Entries of getaddrinfo, all of them allowed. Raises EgressDenied if any is not, OSError if the
        name is unknown."""
        self.check_host(host)
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        for info in infos:
            self.check_address(host, str(info[4][0]))
        return list(infos)

    async def open_socket(self, host: str, port: int) -> socket.socket:
        """A connected, non-blocking socket. Raises EgressDenied, OSError. The caller sets the time limit."""
        loop = asyncio.get_running_loop()
        failure: OSError = OSError(f"no address for host {host}")
        for info in await self.resolve(host, port):
            sock = self.guarded_socket(info)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, info[4])
            except OSError as exc:
                sock.close()
                failure = exc
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure

    def _judge_host(self, host: str) -> str:
        """Why this host is refused as it is written, or ""."""
        name = host.lower().rstrip(".")
        if self._allowed_hosts and not any(fnmatch.fnmatchcase(name, pattern) for pattern in self._allowed_hosts):
            return f"URL host '{host}' is not in the list of allowed hosts."
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return ""
        return "" if self._is_allowed(name) else _blocked(host, name)

    def _judge(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return all(self._judge_one(one) for one in _faces(ip))

    def _judge_one(self, ip: Address) -> bool:
        if _is_in(ip, self._allowed):
            return True
        if _is_in(ip, self._denied):
            return False
        if _is_in(ip, _LOOPBACK):
            return self._allow_loopback
        return not _is_in(ip, _NEVER)


def _blocked(host: str, address: str) -> str:
    return f"URL host '{host}' resolves to a blocked address ({address})."


def _is_in(ip: Address, networks: Sequence[Network]) -> bool:
    return any(ip in network for network in networks)


def _faces(ip: Address) -> list[Address]:
    """The addresses by which this one must be judged."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]  # the kernel connects by IPv4
    if ip.sixtofour is not None:
        return [ip, ip.sixtofour]
    if ip in _NAT64:
        return [ip, ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    return [ip]
