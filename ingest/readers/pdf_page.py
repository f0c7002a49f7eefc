"""How is a page of a PDF read: from its text layer, from its picture, or from both? The gate decides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.gate import MOST_UNREADABLE, text_report
from ingest.marks import ends_sentence
from ingest.readers.pdf_chars import PageChars, page_chars
from ingest.readers.pdf_columns import arranged
from ingest.readers.pdf_lines import Line, lines_of
from ingest.readers.pdf_margin import without_line_numbers
from ingest.readers.pdf_scan import Scan, scan
from xuesi.core.domain import PageHow, PageReport
from xuesi.core.text import counted, has_words

_MIXED = 0.1  # of the page under pictures; less holds no text worth a second look


@dataclass(frozen=True, slots=True)
class ReadPage:
    """What is kept of a page when the next one is read."""

    lines: tuple[Line, ...]
    report: PageReport
    width: float
    height: float
    label: str
    line_numbers: tuple[str, ...] = ()


def read_page(document: Any, index: int) -> ReadPage:
    """Read one page; `index` from 0. Raises UnreadableDocument if it cannot be loaded."""
    chars = page_chars(document, index)
    report = text_report(index + 1, chars.text, images=chars.images)
    numbers: list[str] = []
    garbled = report.unreadable > MOST_UNREADABLE
    if garbled or not has_words(chars.text):
        lines, report = _from_picture(document, index, chars, report=report)
    else:
        found = lines_of(chars, index)
        counted, numbers = without_line_numbers([line for line in found if not line.frame])
        lines = tuple(_with_boxes(arranged(counted, (chars.width, chars.height)), found))
        if chars.images >= _MIXED:
            lines, report = _with_picture(scan(document, index, chars, beside_text=True), lines, report)
    return ReadPage(lines, report, chars.width, chars.height, chars.label, tuple(numbers))


def _with_boxes(body: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """The running text in reading order, with the lines of boxes after the first sentence that ends behind the place where `lines` has them."""
    whole = list(body)
    for number in dict.fromkeys(line.frame for line in lines if line.frame):
        first = next(i for i, line in enumerate(lines) if line.frame == number)
        before = {id(line) for line in lines[:first]}
        at = max((i + 1 for i, line in enumerate(whole) if id(line) in before), default=0)
        while 0 < at < len(whole) and not (whole[at - 1].table or ends_sentence(whole[at - 1].text)):
            at += 1
        whole[at:at] = [line for line in lines if line.frame == number]
    return whole


def _from_picture(
    document: Any, index: int, chars: PageChars, *, report: PageReport
) -> tuple[tuple[Line, ...], PageReport]:
    why = f"Of the text in the file {report.unreadable:.0%} means nothing. " if report.chars else ""
    # a page that seems to have no objects may show annotations
    return from_scan(scan(document, index, chars), report=report, why=why)


def from_scan(seen: Scan, *, report: PageReport, why: str = "") -> tuple[tuple[Line, ...], PageReport]:
    """What is taken of a page that was read from its picture, and its report; `why` says what was wrong with the text in the file, if it had any."""
    if seen.is_blank and not why:
        return (), replace(report, how=PageHow.BLANK, chars=0, note="")
    read = _judged(seen.lines, report)
    mostly_unclear = seen.doubtful > len(seen.lines)  # then what seems sure is chance
    if mostly_unclear or not has_words(_text(seen.lines)) or read.unreadable > MOST_UNREADABLE:
        found = (
            f"{counted(seen.doubtful, 'line of its picture was', 'lines of its picture were')} too unclear."
            if seen.doubtful
            else "No text was found in its picture."
        )
        return (), replace(report, how=PageHow.LEFT_OUT, chars=0, language="", note=why + found)
    note = why + (_unclear(seen.doubtful) if seen.doubtful else "")
    return seen.lines, replace(read, how=PageHow.OCR, unreadable=report.unreadable, note=note.strip())


def _with_picture(seen: Scan, lines: tuple[Line, ...], report: PageReport) -> tuple[tuple[Line, ...], PageReport]:
    if not has_words(_text(seen.lines)):
        return lines, report
    note = f"{counted(len(seen.lines), 'line comes', 'lines come')} from a picture on it." + (
        f" {_unclear(seen.doubtful)}" if seen.doubtful else ""
    )
    together = (*lines, *seen.lines)
    return together, replace(_judged(together, report), unreadable=report.unreadable, note=note)


def _unclear(lines: int) -> str:
    return f"{counted(lines, 'line of its picture was', 'lines of its picture were')} too unclear and left out."


def _text(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _judged(lines: Sequence[Line], report: PageReport) -> PageReport:
    return text_report(report.number, _text(lines), images=report.images)
