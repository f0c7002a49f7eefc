"""A server of the OpenAI embeddings protocol on 127.0.0.1 that answers well, or misbehaves as a test asks."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from index.embedders.openvino_model import OpenVinoEmbedder
from xuesi.core.ports import EmbedInput

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: by itself, an answer that is right."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    change: Callable[[Body], Body] = lambda body: body
    wait_for: threading.Event | None = None


class EmbeddingServer:
    """Serves vectors of the embedded model, changed by `change`; `replies` are used up first, then every reply is right."""

    def __init__(self, embedder: OpenVinoEmbedder) -> None:
        self.replies: list[Reply] = []
        self.change: Callable[[Body], Body] = lambda body: body
        self.requests: list[Body] = []
        self.authorizations: list[str | None] = []
        self._embedder = embedder
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append(body)
                server.authorizations.append(self.headers["Authorization"])
                server.answer(self, body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name is the base class's
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def answer(self, handler: BaseHTTPRequestHandler, request: Body) -> None:
        reply = self.replies.pop(0) if self.replies else Reply()
        if reply.wait_for:
            reply.wait_for.wait(timeout=30)
        body = reply.body
        if body is None:
            body = json.dumps(reply.change(self.change(self._right(request["input"])))).encode()
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up waiting, as a test wanted it to

    def _right(self, texts: Sequence[str]) -> Body:
        vectors = self._embedder.embed_passages([EmbedInput(text=text) for text in texts]).passages
        data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(vectors.tolist())]
        return {"object": "list", "data": data[::-1], "model": "test"}  # the protocol promises no order, only `index`
