"""What happens to every request, whatever it asks? An id, a look at who asks, figures, a line in the log, and careful headers."""

import logging
import re
import time
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems, security
from api.metrics import Metrics
from xuesi.core.errors import DocumentTooLarge, XuesiError
from xuesi.core.ids import new_id
from xuesi.core.settings import Settings

_access = logging.getLogger("xuesi.access")

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_POLLED = frozenset(
    {"/healthz", "/readyz", "/metrics"}
)  # every few seconds by machines: their lines would hide all others
_POLL_ANSWERS = frozenset({200, 503})  # 503: not ready yet
_JSON_BYTES = 4_000_000
_FILES_AT_ONCE = 5  # a request may hold as many files as it likes, but no more bytes than this many of the largest
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send our own forms with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """The outermost layer: it lets a request in or refuses it, and sees how it ends.

    What a caller asked (query strings, bodies) is nobody's business but theirs: the log has method, path, status, time and id.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # the routes know GET only; the HTTP server keeps the body back
            scope = {**scope, "method": "GET"}
        request = Request(scope)
        request.state.request_id = _request_id(request)
        exchange = _Exchange(send, request_id=request.state.request_id)
        try:
            await self._answer(scope, receive, exchange, request)
        finally:
            self._note(scope, exchange, method)

    async def _answer(self, scope: Scope, receive: Receive, exchange: "_Exchange", request: Request) -> None:
        try:
            security.check(request, self._settings)
            limit = self._limit_bytes(request)
            _check_length(request, limit)
            await self.app(scope, _limited(receive, limit), exchange.send)
        except Exception as error:
            if exchange.status:
                raise  # half an answer is out; the server closes the connection
            response = problems.respond(error, request)
            await response(scope, receive, exchange.send)

    def _limit_bytes(self, request: Request) -> int:
        uploads = request.url.path not in security.ASKING  # who may only ask may not fill the disk with files either
        if uploads and request.headers.get("content-type", "").startswith("multipart/"):
            return self._settings.max_file_mb * 1_000_000 * _FILES_AT_ONCE
        return _JSON_BYTES

    def _note(self, scope: Scope, exchange: "_Exchange", method: str) -> None:
        took_s = time.perf_counter() - exchange.began
        route = _route(scope)
        status = exchange.status or 499  # the client went before there was an answer
        self._metrics.note(method=method if method in _METHODS else "other", route=route, status=status, took_s=took_s)
        level = logging.DEBUG if route in _POLLED and status in _POLL_ANSWERS else logging.INFO
        line = "%s %s %d %.1f ms %s"
        # The path as it came, percent-encoded: decoded, it may hold line ends and write lines of its own.
        path = scope.get("raw_path", b"").decode("latin-1") or quote(scope["path"])
        _access.log(level, line, method, path, status, took_s * 1000, exchange.request_id)


class _Exchange:
    """One answer on its way out."""

    def __init__(self, send: Send, *, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.began = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else new_id()


def _route(scope: MutableMapping[str, Any]) -> str:
    """The route's pattern: a label with ids in it would grow without end.

    The route knows its own part of the path only; what stands before it is the prefix that its router was included under.
    """
    pattern = str(getattr(scope.get("route"), "path_format", ""))
    own = pattern.format(**scope.get("path_params", {})) if pattern else ""
    path = str(scope["path"])
    return path.removesuffix(own) + pattern if pattern and path.endswith(own) else "unknown"


def _check_length(request: Request, limit_bytes: int) -> None:
    try:
        length = int(request.headers.get("content-length", "0"))
    except ValueError:
        return
    if length > limit_bytes:
        raise _too_large(limit_bytes)


def _limited(receive: Receive, limit_bytes: int) -> Receive:
    """Bodies of unknown length are counted as they come."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit_bytes:
            raise _too_large(limit_bytes)
        return message

    return counted


def _too_large(limit_bytes: int) -> XuesiError:
    return DocumentTooLarge(
        f"The request is larger than {limit_bytes // 1_000_000} MB.", hint="Send fewer or smaller files at once."
    )
