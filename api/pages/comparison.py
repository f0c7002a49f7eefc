"""How do two versions differ, at a glance? Both side by side, what is the same folded away, and what changed marked in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.marks import Pieces, pieces
from api.pages.view import page, see
from api.routes.pages_of_documents import counts_of
from api.schemas.search import reader_url
from api.services import ServicesDep
from xuesi.core.difference import Difference, How, compare
from xuesi.core.domain import Document, DocumentId, Span, Version
from xuesi.core.errors import PageNotFound, VersionNotFound
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_ROWS = 200  # of a part; a comparison of long texts comes in parts
_AROUND = 1  # sentences shown before and after a change


@dataclass(frozen=True, slots=True)
class Side:
    """A sentence as one of the versions has it, its changed words marked, and where it opens in the reader."""

    words: Pieces
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence on both sides. `folded` says instead how many sentences are left out here because they are the same."""

    how: How | None
    old: Side | None = None
    new: Side | None = None
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Which:
    """A version of a document with its text."""

    document: Document
    version: Version
    text: str


@router.get("/documents/{document_id}/compare/{other_id}")
def compare_documents(services: ServicesDep, document_id: str, other_id: str) -> Response:
    """Lead to the comparison of what both documents show."""
    new, old = (services.catalogue.row(DocumentId(id_)) for id_ in (document_id, other_id))
    numbers = [(row.live or row.newest).number for row in (new, old)]
    return see(
        f"/documents/{document_id}/versions/{numbers[0]}/compare?against={numbers[1]}&against_document={other_id}"
    )


@router.get("/documents/{document_id}/compare")
def choose(document_id: str, new: int, old: int) -> Response:
    """Lead to the comparison of the two versions that were chosen on the document's page."""
    return see(f"/documents/{document_id}/versions/{new}/compare?against={old}")


@router.get("/documents/{document_id}/versions/{number}/compare")
def compare_page(
    request: Request,
    services: ServicesDep,
    document_id: str,
    number: int,
    against: int,
    against_document: str = "",
    part: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """Both versions side by side."""
    new = _which(services, document_id, number)
    old = _which(services, against_document or document_id, against)
    found = compare(old.text, new.text)
    rows = list(_rows(found, old, new))
    parts = max(1, -(-len(rows) // _ROWS))
    if part > parts:
        raise PageNotFound(f"There is no part {part}; the last one is {parts}.")
    return page(
        request,
        "compare.html",
        old=old,
        new=new,
        counts=counts_of(found),
        rows=rows[(part - 1) * _ROWS : part * _ROWS],
        part=part,
        parts=parts,
        base=f"{request.url.path}?against={against}&against_document={against_document}",
    )


def _which(services: Services, document_id: str, number: int) -> Which:
    version = services.catalogue.version(DocumentId(document_id), number)
    if not version.pages:
        raise VersionNotFound(f"Version {number} has no text: it is {version.state}.")
    return Which(services.catalogue.document(version.document_id), version, services.files.text(version))


def _rows(found: Sequence[Difference], old: Which, new: Which) -> Iterator[Row]:
    """All that changed, with a sentence around it."""
    runs = [(same, list(its)) for same, its in groupby(found, key=lambda it: it.how is How.SAME)]
    for n, (same, its) in enumerate(runs):
        first, last = _AROUND if n else 0, _AROUND if n + 1 < len(runs) else 0
        if same and len(its) > first + last + 1:
            yield from (_row(it, old, new) for it in its[:first])
            yield Row(None, folded=len(its) - first - last)
            yield from (_row(it, old, new) for it in its[len(its) - last :])
        else:
            yield from (_row(it, old, new) for it in its)


def _row(it: Difference, old: Which, new: Which) -> Row:
    moved = it.how is How.MOVED
    left = None if moved and it.here else _side(old, it.old, it.old_marks)
    right = None if moved and not it.here else _side(new, it.new, it.new_marks)
    return Row(it.how, left, right)


def _side(which: Which, span: Span | None, marks: Sequence[Span]) -> Side | None:
    if span is None:
        return None
    address = reader_url(which.document.id, which.version.number, span) + "#mark"
    return Side(pieces(which.text, span, marks), address)
