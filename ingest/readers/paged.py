"""How do pages that were read line by line become one text? For every format that has pages with boxes: PDF, and pictures of pages."""

from collections.abc import Iterator, Mapping, Sequence

from ingest.readers.pdf_document import document_of
from ingest.readers.pdf_page import ReadPage
from xuesi.core.domain import OutlineEntry, PageHow, PageReport
from xuesi.core.errors import NoText
from xuesi.core.ports import Reading

_NO_TEXT_HINT = "Add a copy with a text layer, or a clearer scan."
_SHOWN = 20  # pages named in one sentence
_SENTENCES = {
    PageHow.LEFT_OUT: "{count} of {all} pages were left out and cannot be found: {pages}.",
    PageHow.BLANK: "{count} of {all} pages hold no text and cannot be found: {pages}.",
    PageHow.OCR: "{count} of {all} pages were read from their picture: {pages}.",
}


def refuse_textless(pages: Sequence[ReadPage], what: str) -> None:
    """Raises NoText if no page has text; `what` names the file in a sentence."""
    report = [page.report for page in pages]
    if not any(it.how in {PageHow.TEXT, PageHow.OCR} for it in report):
        raise NoText(f"Nothing in {what} can be read as text. {_seen(report)}", hint=_NO_TEXT_HINT)


def reading_of(
    pages: Sequence[ReadPage],
    *,
    properties: Mapping[str, str],
    outline: Sequence[OutlineEntry] = (),
    warnings: Sequence[str] = (),
    told: Sequence[PageHow] = tuple(_SENTENCES),
) -> Reading:
    """The reading of a file with these pages, running heads and page numbers left out; `told` are the ways of reading that a warning counts."""
    report = [page.report for page in pages]
    return document_of(pages).reading(
        properties=properties,
        outline=outline,
        warnings=[*warnings, *_doubts(report, told)],
        report=report,
        with_boxes=True,
        hint=_NO_TEXT_HINT,
    )


def _doubts(report: Sequence[PageReport], told: Sequence[PageHow]) -> Iterator[str]:
    """What a person should know of the pages, those with the same to say in one sentence."""
    for how in told:
        sentence = _SENTENCES[how]
        numbers = [it.number for it in report if it.how is how]
        if numbers:
            yield sentence.format(count=len(numbers), all=len(report), pages=_named(numbers))
    yield from (f"Page {it.number}: {it.note}" for it in [it for it in report if it.note][:_SHOWN])


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")


def _seen(report: Sequence[PageReport]) -> str:
    told = " ".join(f"Page {it.number}: {it.note or 'nothing is on it.'}" for it in report[:_SHOWN])
    return told + (f" And so on for {len(report)} pages." if len(report) > _SHOWN else "")
