"""A library behind the HTTP interface, for tests: real parts, a quick embedder, and documents that are live at once."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI

import xuesi.wiring
from ingest.worker import drain
from tests.fakes import HashEmbedder
from xuesi.core.domain import (
    Block,
    BlockKind,
    DocumentId,
    JobState,
    OutlineEntry,
    Page,
    Passage,
    PassageId,
    Span,
    Version,
    VersionId,
)
from xuesi.core.ids import new_id
from xuesi.core.ports import Floats, Reading
from xuesi.core.settings import Settings
from xuesi.services import Services

BASE = "http://127.0.0.1:8000"
PNG = b"\x89PNG\r\n\x1a\n"


@contextlib.contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Services]:
    """The parts of a server over a fresh data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xuesi.wiring, "open_model", lambda *_, **__: HashEmbedder())
        with xuesi.wiring.open_services(Settings(data_dir=folder, **settings)) as services:
            yield services


def work(services: Services) -> None:
    """What a worker does, and what the publisher makes of it."""
    drain(catalogue=services.catalogue, files=services.files, embedder=services.embedder, settings=services.settings)
    until = time.monotonic() + 120
    while services.catalogue.jobs(state=JobState.RUNNING, limit=1)[0]:
        assert time.monotonic() < until
        time.sleep(0.02)


def read(services: Services, document_id: str, *, text: str, pages: int = 1, boxes: Floats | None = None) -> Version:
    """Make the document's newest version live, as if a worker had read this text from it: `pages` of equal length, a passage a page."""
    row = services.catalogue.row(DocumentId(document_id))
    version = row.newest
    ends = [round(len(text) * number / pages) for number in range(pages + 1)]
    spans = [Span(a, b) for a, b in pairwise(ends)]
    found = tuple(Page(n, span, f"p{n}", 300.0, 200.0) for n, span in enumerate(spans, start=1))
    reading = Reading(
        text=text,
        pages=found,
        blocks=tuple(Block(BlockKind.PARAGRAPH, span) for span in spans),
        boxes=boxes,
        outline=(OutlineEntry("第一节", 1, 1),),
    )
    services.files.put_reading(version, reading)
    services.catalogue.save_reading(
        version.id,
        pages=found,
        passages=[_passage(version.id, n, span, text) for n, span in enumerate(spans)],
        chars=len(text),
        quality={},
    )
    services.catalogue.make_live(version.id, at=datetime.now(UTC))
    return services.catalogue.version(DocumentId(document_id), version.number)


def _passage(version_id: VersionId, ordinal: int, span: Span, text: str) -> Passage:
    return Passage(
        PassageId(new_id()), version_id, ordinal, span, span.of(text), ordinal + 1, ordinal + 1, ("第一节",), 10
    )


def boxes_of(text: str, *, left: float = 20, top: float = 20, size: float = 10) -> Floats:
    """One line a sentence line: characters of equal size, none for line ends."""
    boxes = np.full((len(text), 4), np.nan, dtype=np.float32)
    column, line = 0, 0
    for i, char in enumerate(text):
        if char == "\n":
            column, line = 0, line + 1
            continue
        x, y = left + column * size, top + line * 2 * size
        boxes[i] = (x, y, x + size, y + size)
        column += 1
    return boxes


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this machine; what streams without end cannot be tested otherwise."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def events(response: httpx.Response) -> Iterator[tuple[str, str]]:
    """(event, data) of a stream; comments as ("", comment)."""
    name = ""
    for line in response.iter_lines():
        if line.startswith(":"):
            yield "", line
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, line.removeprefix("data: ")
