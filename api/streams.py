"""How do events reach a client while the work goes on in a thread, and how does the work end when the client goes?

The framework streams from generator endpoints only; `/ask` answers whole or streamed by a member of its body, so it needs a response of its own.
"""

import json
from collections.abc import Callable, Iterator

import anyio
from anyio.to_thread import run_sync
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

from api.schemas.shapes import Problem

PING_S = 15.0


class EventStream(EventSourceResponse):
    """Named events from a blocking iterator as server-sent events.

    Args:
        events: (name, data), taken one by one in a worker thread.
        close: Called once in a worker thread when the stream ends, also when the client goes: it stops the work behind `events`.
        on_error: Makes the data of an `error` event of what `events` raises.
    """

    def __init__(
        self,
        events: Iterator[tuple[str, BaseModel]],
        *,
        close: Callable[[], None] | None,
        on_error: Callable[[Exception], Problem],
    ) -> None:
        super().__init__(iter(()), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._events = events
        self._close = close
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the events end or the client goes."""
        del scope
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_until_gone, receive, group.cancel_scope)
                group.start_soon(_ping, send)
                await self._send_all(send)
                group.cancel_scope.cancel()
        finally:
            if self._close is not None:
                with anyio.CancelScope(shield=True):
                    await run_sync(self._close)

    async def _send_all(self, send: Send) -> None:
        try:
            async for name, data in iterate_in_threadpool(self._events):
                await _chunk(send, format_sse_event(event=name, data_str=data.model_dump_json(by_alias=True)))
        except Exception as error:  # noqa: BLE001 the status is sent already: every error must become the last event
            problem = json.dumps(self._on_error(error), ensure_ascii=False)
            await _chunk(send, format_sse_event(event="error", data_str=problem))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive, stop: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stop.cancel()


async def _ping(send: Send) -> None:
    while True:
        await anyio.sleep(PING_S)
        await _chunk(send, KEEPALIVE_COMMENT)


async def _chunk(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})
