"""Passages fit the real model, whatever their script and however long their title."""

import pytest

from index.embedders.openvino_model import OpenVinoEmbedder
from ingest.passages import cut
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind, VersionId
from xuesi.core.ports import Reading
from xuesi.core.text import in_context

CHINESE = "调查研究要深入基层，听取群众意见，把情况摸清，把问题找准，把对策提实。" * 60
ENGLISH = "Every study group reads the original text first and then discusses what it means for daily work. " * 60
RARE = "𠮷龘靐齉籲鱻麤龖讟虪" * 200
DIGITS = "2023 16 9.7% 3.14159 " * 300


def reading_of(heading: str, text: str) -> Reading:
    builder = TextBuilder()
    builder.add(BlockKind.HEADING, heading, level=1)
    builder.add(BlockKind.PARAGRAPH, text)
    return builder.reading()


@pytest.mark.parametrize("text", [CHINESE, ENGLISH, RARE, DIGITS])
@pytest.mark.parametrize("title", ["读书班手册", "关于深入开展主题教育调查研究工作的若干意见" * 12])
def test_no_passage_is_longer_than_the_model_reads(embedder: OpenVinoEmbedder, text: str, title: str) -> None:
    passages = cut(
        reading_of("一、总体要求", text),
        VersionId("v"),
        max_chars=380,
        count_tokens=embedder.count_tokens,
        max_tokens=embedder.max_tokens,
        title=title,
    )
    counted = embedder.count_tokens([in_context(title, p.heading_path, p.text)[0] for p in passages])
    assert counted == [p.tokens for p in passages]
    assert max(counted) <= embedder.max_tokens == 512
    assert "".join(p.text for p in passages).replace(" ", "") == text.replace(" ", "")
