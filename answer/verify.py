"""Does each citation stand where it says? The last step before anyone sees a statement."""

from collections.abc import Sequence

from xuesi.core.domain import Citation, Page, Version
from xuesi.core.errors import CitationBroken


def page_at(pages: Sequence[Page], offset: int) -> int:
    """The number of the page that holds this code point; 0 if none does."""
    return next((page.number for page in pages if page.span.start <= offset < page.span.end), 0)


def verify(citation: Citation, *, version: Version, text: str, pages: Sequence[Page]) -> Citation:
    """The citation itself, once every fact of it is checked against the version it names, its text and its pages.

    Raises:
        CitationBroken: If document or version are others than the citation says, its span does not start on its page, or the quote is
            not the text at its span, letter for letter.
    """
    if (version.document_id, version.number) != (citation.document_id, citation.version):
        raise _broken(citation, f"what was read is version {version.number} of document {version.document_id}")
    if not citation.quote or citation.span.end > len(text) or citation.span.of(text) != citation.quote:
        raise _broken(citation, "its quote is not the text at its span")
    if citation.page < 1 or page_at(pages, citation.span.start) != citation.page:
        raise _broken(citation, f"its span does not start on page {citation.page}")
    return citation


def _broken(citation: Citation, why: str) -> CitationBroken:
    span = citation.span
    return CitationBroken(
        f"The citation of document {citation.document_id}, version {citation.version}, {span.start}-{span.end}, is wrong: {why}.",
        hint="Run xuesi doctor; xuesi reindex makes the indexes anew from the catalogue.",
        document_id=citation.document_id,
        version=citation.version,
        span=(span.start, span.end),
    )
