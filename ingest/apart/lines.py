"""How do two of our processes speak? In lines of JSON over a socket."""

import json
import select
import socket
import time
from typing import Any

_LONGEST = 1_000_000


class Lines:
    """One end of the socket."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._received = b""

    def fileno(self) -> int:
        """For select."""
        return self._channel.fileno()

    def send(self, said: dict[str, Any]) -> None:
        """Say something. Raises OSError if the other end is gone."""
        self._channel.sendall(json.dumps(said).encode() + b"\n")

    def receive(self, timeout_s: float | None) -> dict[str, Any] | None:
        """What the other end says next; None if it says nothing in time. Raises EOFError if it is gone, ValueError if it talks nonsense."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self._received:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self._channel], [], [], left)[0]:
                return None
            try:
                more = self._channel.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                raise EOFError
            self._received += more
            if len(self._received) > _LONGEST:
                raise ValueError("a line without end")
        line, _, self._received = self._received.partition(b"\n")
        said = json.loads(line)
        if not isinstance(said, dict):
            raise ValueError("no object")  # noqa: TRY004 the caller treats all nonsense alike
        return said

    def close(self) -> None:
        """Let go of the socket."""
        self._channel.close()
