"""Does each citation stand where it says? The last step before anyone sees a statement."""

from answer.sources import Source
from xuesi.core.domain import Citation
from xuesi.core.errors import CitationBroken


def verify(citation: Citation, source: Source) -> Citation:
    """The citation itself, once every fact of it is checked against its version.

    Raises:
        CitationBroken: If document or version are others than the citation says, no page begins where it says, or the quote is not
            the text at its span, letter for letter.
        VersionNotFound: If the version is gone.
    """
    version = source.version
    if (version.document_id, version.number) != (citation.document_id, citation.version):
        raise _broken(citation, f"version {version.number} of document {version.document_id} was read")
    if not citation.quote:
        raise _broken(citation, "it quotes nothing")
    if citation.span.end > len(source.text) or citation.span.of(source.text) != citation.quote:
        raise _broken(citation, "its quote is not the text at its span")
    if citation.page < 1 or source.page_at(citation.span.start) != citation.page:
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
