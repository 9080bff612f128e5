"""What actions talk to: counts every call, and can make one wait while something is killed."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Peer:
    """Paths: /count/KEY answers; /flaky/KEY fails twice, then answers; /hold/KEY answers when it is let go."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._let_go = threading.Event()
        self._let_go.set()
        self.holding: set[str] = set()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                kind, key = self.path.strip("/").split("/")
                count = peer.heard(key)
                if kind == "hold":
                    peer.wait(key)
                body = json.dumps({"key": key}).encode()
                self.send_response(500 if kind == "flaky" and count <= 2 else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *parts: object) -> None:
                pass

        class Patient(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who asked has been killed: no need to tell."""

        self._lock = threading.Lock()
        self._server = Patient(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def heard(self, key: str) -> int:
        with self._lock:
            self.calls[key] += 1
            return self.calls[key]

    def hold(self) -> None:
        """Calls of /hold wait from now on."""
        self._let_go.clear()

    def let_go(self) -> None:
        self._let_go.set()

    def wait(self, key: str) -> None:
        with self._lock:
            self.holding.add(key)
        self._let_go.wait(120)
        with self._lock:
            self.holding.discard(key)

    def close(self) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
