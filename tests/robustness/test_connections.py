"""Clients that send too much, too slowly, or come in too great a number."""

import socket
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.server import PATIENCE, Server
from tests.robustness.conftest import MIB, Watched

HEAD = "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def status_of(client: socket.socket) -> int:
    """Of the next answer; 0 if the connection was closed without one."""
    data = b""
    while b"\r\n" not in data:
        try:
            part = client.recv(4096)
        except ConnectionError:
            part = b""
        if not part:
            return 0
        data += part
    return int(data.split()[1])


@pytest.mark.parametrize(
    ("path", "kind"), [("/v2/executions", "application/json"), ("/v2/workflows", "text/plain"), ("/v2/nothing", "a/b")]
)
def test_a_body_of_100_mb_is_refused_before_it_is_read(watched: Watched, path: str, kind: str) -> None:
    before = watched.rss
    with connect(watched.server) as client:
        head = HEAD.format(method="POST", path=path, kind=kind) + f"Content-Length: {100 * MIB}\r\n\r\n"
        client.sendall(head.encode())
        assert status_of(client) == 413
    assert watched.rss - before < 20 * MIB


def test_a_body_of_unknown_length_is_refused_when_it_is_too_long(watched: Watched) -> None:
    before = watched.rss
    part = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"
    with connect(watched.server) as client:
        head = HEAD.format(method="POST", path="/v2/executions", kind="application/json")
        client.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
        for _ in range(17):
            client.sendall(part)
        assert status_of(client) == 413
    assert watched.rss - before < 80 * MIB


def test_clients_that_hold_large_bodies_cannot_fill_the_memory(watched: Watched) -> None:
    """Forty clients send 15 of 16 MB each and stop: that would be 600 MB."""
    before = watched.rss
    answers: list[int] = []
    clients = [connect(watched.server) for _ in range(40)]
    head = HEAD.format(method="POST", path="/v2/executions", kind="application/json")

    def send(client: socket.socket) -> None:
        client.sendall((head + f"Content-Length: {15 * MIB}\r\n\r\n").encode())
        try:
            for _ in range(14):
                client.sendall(b" " * MIB)
        except ConnectionError:
            pass

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert watched.client.get("/v2/executions").status_code == 200  # others are served
    grown = watched.rss - before
    for client in clients:
        client.settimeout(0.05)
        try:
            answers.append(status_of(client))
        except TimeoutError:
            answers.append(-1)  # waits for the rest of its body
        client.close()
    assert answers.count(503) >= 10, answers
    assert grown < 450 * MIB, grown // MIB


def test_an_endless_head_is_refused(watched: Watched) -> None:
    before = watched.rss
    with connect(watched.server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(ConnectionError):
            for number in range(100_000):
                client.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))
    assert watched.rss - before < 20 * MIB


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody speaks TLS
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v2/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v2/executions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v2/executions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%zz%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v2/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"\0" * 10_000,
    ],
)
def test_what_is_not_http_does_no_harm(watched: Watched, nonsense: bytes) -> None:
    with connect(watched.server) as client:
        client.sendall(nonsense)
        client.shutdown(socket.SHUT_WR)
        assert status_of(client) < 500


def test_a_client_that_leaves_in_the_middle_is_forgotten(watched: Watched) -> None:
    for _ in range(50):
        with connect(watched.server) as client:
            head = HEAD.format(method="POST", path="/v2/executions", kind="application/json")
            client.sendall((head + "Content-Length: 1000\r\n\r\n{").encode())
    for _ in range(50):
        with connect(watched.server) as client:
            client.sendall(b"GET /v2/executions HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_too_many_connections_are_told_and_the_others_are_served(tmp_path: Path) -> None:
    """With room for few files only: whoever is connected is served, whoever is too many gets an answer."""
    with Server(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        assert client.get("/healthcheck").status_code == 200
        process = psutil.Process(server.pid)
        soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 60, hard))
        crowd: list[socket.socket] = []
        try:
            crowd.extend(connect(server) for _ in range(200))
            assert client.get("/healthcheck").status_code == 200
        finally:
            for one in crowd:
                one.close()
        process.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
        assert httpx.get(f"{server.url}/healthcheck", trust_env=False).status_code == 200
        assert server.stop() == 0
