"""Real documents are read and cut exactly. They lie beside the checkout; without them these tests are skipped."""

import contextlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.apart.limits import Limits
from ingest.apart.reading import ReadingApart
from ingest.formats import detect, open_reader
from ingest.length import length
from ingest.passages import cut
from tests.tools import needs_libreoffice
from xuesi.core.domain import BlockKind, VersionId
from xuesi.core.ports import Reading

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared material is not beside this checkout")


def entries(folder: str) -> list[dict[str, Any]]:
    manifest = DATA / folder / "manifest.jsonl"
    if not manifest.is_file():
        return []
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]


def read(path: Path, password: str | None = None) -> Reading:
    found = detect(path, path.name)
    if found.reader:
        return open_reader(found).read(path, password=password)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(ReadingApart(Path(folder), Limits())) as apart:
        return apart.read(path, path.name, password=password, watch=lambda *_: None)


def count_chars(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


@pytest.mark.parametrize("entry", entries("domain"), ids=lambda entry: Path(entry["path"]).name)
def test_official_texts_are_read_and_cut_exactly(entry: dict[str, Any]) -> None:
    path = DATA / "domain" / entry["path"]
    if path.suffix == ".doc":
        needs_libreoffice()
    reading = read(path)
    passages = cut(reading, VersionId("v"), max_chars=380, count_tokens=count_chars, max_tokens=2000, title="")
    held = [False] * len(reading.text)
    for passage in passages:
        assert passage.text == passage.span.of(reading.text) == passage.text.strip()
        assert length(passage.text) <= 380
        assert passage.page_from <= passage.page_to <= len(reading.pages)
        held[passage.span.start : passage.span.end] = [True] * len(passage.span)
    for block in reading.blocks:
        if block.kind is not BlockKind.HEADING:
            assert all(held[i] for i in range(block.span.start, block.span.end) if not reading.text[i].isspace())
    short = sum(length(passage.text) < 60 for passage in passages)
    assert short <= 2 + len(passages) // 8  # a chapter with one short article is; a text in splinters is not
