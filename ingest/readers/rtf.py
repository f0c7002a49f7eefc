"""What does a Rich Text file say? Its paragraphs and table rows."""

import re
from pathlib import Path

from striprtf.striprtf import rtf_to_text

from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.errors import UnreadableDocument
from xuesi.core.ports import Reading
from xuesi.core.text import canonical

_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
_INFO = re.compile(r"\{\\(title|author|subject)\s((?:[^{}]|\{[^{}]*\})*)\}")
_HEAD = r"{\rtf1\ansi%s "
_CODE_PAGE = re.compile(r"\\ansicpg\d+")


class RtfReader:
    r"""RTF. One page. Chinese stands in it as \'xx in the code page of its font, or as \uN; both come out as it is shown."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`. Headers, footers and pictures are not read."""
        del password  # the format has no encryption
        source = path.read_bytes().decode("latin-1")  # an RTF file is ASCII; what is not stands in escapes
        try:
            text = _plain(source)
            properties = _properties(source)
        except (ValueError, LookupError, TypeError, IndexError, OverflowError) as error:
            raise UnreadableDocument(
                "The file breaks its own format: it cannot be opened as RTF.",
                hint="Open it in a word processor, save it as DOCX, and add that.",
            ) from error
        builder = TextBuilder()
        table = 0
        before_was_row = False
        for line in canonical(text).split("\n"):
            is_row = line.rstrip().endswith("|") and line.count("|") > 1
            if is_row:
                table += not before_was_row
                cells = (" ".join(cell.split()) for cell in line.rstrip().removesuffix("|").split("|"))
                builder.add(BlockKind.TABLE_ROW, " | ".join(cells), table=table)
            else:
                builder.add(BlockKind.PARAGRAPH, line)
            before_was_row = is_row
        return builder.reading(properties=properties, warnings=_warnings(text))


def _plain(source: str) -> str:
    """The text; a character beyond the first plane is written as two."""
    return _PAIR.sub(
        lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"),
        rtf_to_text(source, errors="replace"),
    )


def _properties(source: str) -> dict[str, str]:
    page = _CODE_PAGE.search(source)
    head = _HEAD % (page.group() if page else "")
    return {name: " ".join(_plain(f"{head}{value}}}").split()) for name, value in _INFO.findall(source)}


def _warnings(text: str) -> tuple[str, ...]:
    damaged = text.count("\ufffd")
    return (f"{damaged} damaged characters are shown as \ufffd.",) if damaged else ()
