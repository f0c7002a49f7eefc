"""What does a web page say? Its main text by trafilatura, without navigation and scripts; headings, lists and tables stay."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trafilatura

from ingest.encodings import decode
from ingest.readers.html_tables import mark_again
from ingest.readers.html_walk import Walk, drop, parsed
from ingest.readers.text_builder import TextBuilder
from xuesi.core.errors import UnreadableDocument, XuesiError
from xuesi.core.ports import Reading

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_NOT_READ = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg", "iframe", "button", "select", "head", "title")  # fmt: skip
_MOST_SCRIPTS = 500  # trafilatura takes longer for each of them than for the one before
_LEAST_SHARE = 0.25  # of the page's text; where trafilatura keeps less, it took the wrong part for the main text


class HtmlReader:
    """HTML as files and fetched pages; one page. The encoding is told by byte order mark, by the file itself, or by its bytes."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; a web page is never encrypted."""
        del password
        data = path.read_bytes()
        declared = _DECLARED.search(data[:4096])
        decoded = decode(data, declared=declared.group(1).decode("ascii") if declared else "")
        with _html_errors():
            whole = parsed(decoded.text)
            found = _extracted(decoded.text) if len(whole.findall(".//script")) <= _MOST_SCRIPTS else None
            builder = TextBuilder()
            Walk(builder, of_site=True).walk(_main_part(whole, getattr(found, "body", None)))
        facts = {"title": "title", "author": "author", "created": "date", "subject": "description", "site": "sitename"}
        properties = {name: str(getattr(found, fact, None) or "") for name, fact in facts.items()}
        if not properties["title"]:
            properties["title"] = " ".join(whole.findtext(".//title", "").split())
        return builder.reading(properties=properties, warnings=decoded.warnings)


def walk_html(text: str, builder: TextBuilder) -> None:
    """Append all that a piece of HTML shows. Raises UnreadableDocument if it is none."""
    if text.strip():
        with _html_errors():
            Walk(builder).walk(_main_part(parsed(text), None))


@contextlib.contextmanager
def _html_errors() -> Iterator[None]:
    """Both parsers take almost anything; what they refuse (no element at all, nesting without end) is no web page."""
    try:
        yield
    except (XuesiError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableDocument(
            "The file cannot be read as a web page.", hint="Open it in a browser, save it anew, and add that."
        ) from error


def _extracted(text: str) -> Any:
    """What trafilatura makes of the page: its main text as a tree, and facts; None where it finds no text."""
    return trafilatura.bare_extraction(
        parsed(text), favor_recall=True, include_comments=False, include_formatting=True, with_metadata=True
    )


def _main_part(whole: Any, main: Any) -> Any:
    """What trafilatura took for the main text, or all but the furniture of the page where that is too little."""
    drop(whole, _NOT_READ)
    if main is not None:
        mark_again(main, whole)
    if main is not None and _text_length(main) >= _LEAST_SHARE * _text_length(whole):
        return main
    return whole


def _text_length(element: Any) -> int:
    return sum(len(piece.strip()) for piece in element.itertext())
