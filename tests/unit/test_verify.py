"""Is a citation let through exactly when every fact of it is true?"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answer.verify import page_at, verify
from xuesi.core.domain import Citation, DocumentId, Page, Span, Version, VersionId, VersionState
from xuesi.core.errors import CitationBroken

TEXT = "第一页说学习。\n第二页说调研，也说𠮷利。"
PAGES = (Page(1, Span(0, 8), "1"), Page(2, Span(8, len(TEXT)), "2"))
VERSION = Version(
    id=VersionId("v"),
    document_id=DocumentId("d"),
    number=3,
    sha256="0" * 64,
    file_name="a.txt",
    media_type="text/plain",
    bytes=1,
    state=VersionState.LIVE,
    added_at=datetime(2024, 1, 1, tzinfo=UTC),
)


def citation(span: Span) -> Citation:
    return Citation(
        number=1,
        document_id=DocumentId("d"),
        version=3,
        title="题目",
        published_on=None,
        page=page_at(PAGES, span.start),
        span=span,
        quote=span.of(TEXT),
    )


def spans() -> st.SearchStrategy[Span]:
    ends = st.integers(0, len(TEXT))
    return st.tuples(ends, ends).map(sorted).filter(lambda e: e[0] < e[1]).map(lambda e: Span(*e))


@given(spans())
def test_a_true_citation_passes_unchanged(span: Span) -> None:
    cited = citation(span)
    assert verify(cited, version=VERSION, text=TEXT, pages=PAGES) is cited
    assert cited.quote == TEXT[span.start : span.end]


@given(spans(), st.text(alphabet="学习调研𠮷 。", max_size=12))
def test_a_quote_that_is_not_the_text_is_refused(span: Span, quote: str) -> None:
    cited = replace(citation(span), quote=quote)
    if quote == span.of(TEXT):
        assert verify(cited, version=VERSION, text=TEXT, pages=PAGES) is cited
    else:
        with pytest.raises(CitationBroken, match="quote"):
            verify(cited, version=VERSION, text=TEXT, pages=PAGES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"document_id": DocumentId("other")},
        {"version": 2},
        {"page": 2},
        {"page": 0},
        {"span": Span(1, 8)},
        {"span": Span(0, len(TEXT) + 5)},
        {"quote": ""},
    ],
)
def test_any_wrong_fact_is_refused_and_named(wrong: dict[str, object]) -> None:
    cited = replace(citation(Span(0, 7)), **wrong)  # type: ignore[arg-type]
    with pytest.raises(CitationBroken) as raised:
        verify(cited, version=VERSION, text=TEXT, pages=PAGES)
    assert raised.value.facts["document_id"] == cited.document_id


def test_a_place_on_no_page_is_refused() -> None:
    with pytest.raises(CitationBroken, match="page"):
        verify(citation(Span(9, 12)), version=VERSION, text=TEXT, pages=PAGES[:1])
