"""A server of the OpenAI chat protocol on 127.0.0.1 that plays a script: it writes what it is told to, or misbehaves as real ones do."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """What is sent back. `pieces` come one by one, `pause_s` apart, the first after `wait_s`; `forever` begins them anew without end.

    `breaks_off`: the connection ends after the pieces, without a word. `comments`: lines that hold no piece, without end, in their place.
    `finish`: why the model stopped, as the protocol has it. A `status` other than 200 sends `body`, and so does a `body`.
    """

    pieces: Sequence[str] = ()
    pause_s: float = 0.0
    wait_s: float = 0.0
    forever: bool = False
    breaks_off: bool = False
    comments: bool = False
    finish: str = "stop"
    status: int = 200
    body: bytes | None = None


def saying(text: str, *, size: int = 3, **how: Any) -> Script:
    """The text in pieces of so many characters."""
    return Script(pieces=[text[i : i + size] for i in range(0, len(text), size)], **how)


@dataclass
class ChatServer:
    """Plays `script`. `requests` are the bodies that came, `gone` is set when a client went before the end, `most` how many wrote at once."""

    script: Script = field(default_factory=Script)
    requests: list[Body] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        server, self._writing, self._lock, self._stop = self, 0, threading.Lock(), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append({**body, "path": self.path})
                server.authorizations.append(self.headers["Authorization"])
                with server._lock:
                    server._writing += 1
                    server.most = max(server.most, server._writing)
                try:
                    server._answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    server.gone.set()
                finally:
                    with server._lock:
                        server._writing -= 1

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name is the base class's
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        script = self.script
        self._stop.wait(script.wait_s)
        handler.send_response(script.status)
        if script.body is not None or script.status != 200:
            body = script.body or b'{"error": {"message": "no", "type": "server_error"}}'
            handler.send_header("Content-Type", "text/event-stream" if script.status == 200 else "application/json")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
            return
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for chunk in self._chunks(script):
            handler.wfile.write(chunk)
            handler.wfile.flush()
            self.sent += 1
            time.sleep(script.pause_s)

    def _chunks(self, script: Script) -> Iterator[bytes]:
        while script.comments and not self._stop.is_set():
            yield b": still here\n\n"
        while True:
            yield from (_event({"content": piece}) for piece in script.pieces)
            if not script.forever or self._stop.is_set():
                break
        if not script.breaks_off:
            yield _event({}, finish=script.finish)
            yield b"data: [DONE]\n\n"


def _event(delta: Body, *, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()
