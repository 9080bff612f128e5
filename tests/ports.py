"""Ports for the servers that tests start, kill and start again."""

import random
import socket
from typing import Final

# Below those that the kernel gives to outgoing connections and to whoever asks for port 0: a server that was killed
# must find its port free when it comes back.
_RANGE: Final = (15_000, 32_000)
_random: Final = random.SystemRandom()  # not the one that tests seed: all runs at the same time would draw the same


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    for _ in range(100):
        port = _random.randrange(*_RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("No free port was found on 127.0.0.1.")
