"""What does a reader make of a file?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from xuesi.core.domain import (
    Block,
    OutlineEntry,
    Page,
    PageReport,
)
from xuesi.core.ports.arrays import Floats


class Furniture(StrEnum):
    """What stands in a file and is none of its text."""

    RUNNING_HEAD = "running_head"  # at the head or foot of page after page
    PAGE_NUMBER = "page_number"
    WATERMARK = "watermark"
    LINE_NUMBER = "line_number"  # at the margin, counting the lines
    TABLE_HEADER = "table_header"  # of a table that goes on on another page, said again
    BOILERPLATE = "boilerplate"  # of a web page: ways to other pages, buttons, notices of its site


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Furniture that was left out of the text: what it is, as it first reads, and the pages (from 1) where it stands."""

    what: Furniture
    text: str
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    r"""What a reader made of a file.

    `text` has `\n` line ends only and no byte order mark. `pages` cover it in order, from the first code point to the last; `blocks` lie in
    it. `boxes` is (len(text), 4) float32: left, top, right, bottom in points from the page's top left corner as the page is shown
    (its rotation applied), NaN where a code point has no box; None where the format has no layout. `properties` are the file's own words about
    itself (title, author, created, subject). `warnings` say, in a sentence each, what could not be read or is doubtful; `left_out` names the
    furniture that was left out on purpose; `report` says page by page how each was read.
    """

    text: str
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    boxes: Floats | None = None
    outline: tuple[OutlineEntry, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    report: tuple[PageReport, ...] = ()


class Reader(Protocol):
    """One file format."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """Read the file.

        Raises:
            EncryptedDocument: If it needs a password that was not given or is wrong.
            UnreadableDocument: If it is damaged or not of this format.
            NoText: If it opens but holds no text.
        """
        ...
