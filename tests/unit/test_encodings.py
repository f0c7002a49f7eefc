"""Text is read in the encoding that it is written in."""

import pytest

from ingest.encodings import decode, preview

SIMPLIFIED = "主题教育要求把学习成果转化为工作举措，坚持问题导向，深入基层调查研究。\n第二行：数据共享与业务协同。\n"
TRADITIONAL = "在歐洲，梵語的學術研究由德國學者開創，後來發現印歐語系也要歸功於對梵語的研究。\n第二行：圖書館與檔案。\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "gb18030"],
)
def test_simplified_chinese(encoding: str) -> None:
    data = SIMPLIFIED.encode(encoding)
    assert decode(data).text == SIMPLIFIED
    assert preview(data) is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "big5", "gb18030"])
def test_traditional_chinese(encoding: str) -> None:
    assert decode(TRADITIONAL.encode(encoding)).text == TRADITIONAL


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8", "latin-1"])
def test_english(encoding: str) -> None:
    text = "Study groups meet once a week.\nThey read, discuss and write.\n" * 3
    assert decode(text.encode(encoding)).text == text


def test_what_the_file_declares_is_asked_before_guessing() -> None:
    text = "Žluťoučký kůň"
    assert decode(text.encode("iso-8859-2"), declared="iso-8859-2").text == text


def test_a_few_damaged_bytes_are_shown_and_reported() -> None:
    data = SIMPLIFIED.encode() * 30
    decoded = decode(data[:60] + b"\xff" + data[60:])
    assert decoded.encoding == "utf-8"
    assert decoded.damaged == 1
    assert "1 damaged" in decoded.warnings[0]


def test_bytes_of_a_program_are_no_text() -> None:
    assert preview(bytes(range(256)) * 4) is None


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\x00\x01\x00\x02", b"\x01\x00\x00\x00"])
def test_a_handful_of_bytes_with_zeros_is_no_text(data: bytes) -> None:
    assert preview(data) is None
