"""How does a person ask? The page with the one box, its answer for browsers without scripts, and the search for wordings.

Questions travel in the body of a POST, never in an address, so that none gets into a log or a browser's history of addresses.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from api.i18n import Language, language_of
from api.marks import Pieces, found_words
from api.pages.view import day_of, page
from api.problems import status_of
from api.services import ServicesDep
from xuesi.core.domain import Answer, Filters, Hit, OutlineEntry
from xuesi.core.errors import FileMissing, InvalidInput
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_EXAMPLES = 4
_LOOKED_AT = 40
_SEARCH_LIMIT = 20
_TERMS = 12
# 一、 （一） 1. 1.2 第一条 第二章 Chapter 3 before what the heading says
_NUMBERING = re.compile(
    r"^\s*(?:第[一二三四五六七八九十百零\d]+[章节条篇部分]+|[（(][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、|\d+(?:\.\d+)*[.、．]?"
    r"|(?:chapter|part|section)\s+\w+[.:]?)\s*",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u4e00-\u9fff]")


@router.get("/")
def ask_page(request: Request, services: ServicesDep) -> Response:
    """The box, and questions that the material itself suggests."""
    return _ask(request, services, question="", as_of=None, answer=None)


@router.post("/")
def answer_page(
    request: Request,
    services: ServicesDep,
    question: Annotated[str, Form()] = "",
    as_of: Annotated[str, Form()] = "",
) -> Response:
    """The whole answer as a page."""
    day = day_of(as_of)
    try:
        *_, answer = services.answerer.ask(question, filters=Filters(as_of=day))
    except InvalidInput as error:
        return _ask(request, services, question=question, as_of=day, answer=None, refused=error)
    assert isinstance(answer, Answer)
    return _ask(request, services, question=question, as_of=day, answer=answer)


def _ask(
    request: Request,
    services: Services,
    *,
    question: str,
    as_of: date | None,
    answer: Answer | None,
    refused: InvalidInput | None = None,
) -> Response:
    counts = services.catalogue.counts()
    return page(
        request,
        "ask.html",
        status=status_of(refused) if refused else 200,
        question=question,
        as_of=as_of,
        answer=answer,
        refused=refused,
        examples=examples(services, language_of(request)),
        documents=counts["live_versions"],
        passages=counts["live_passages"],
        max_chars=services.settings.max_question_chars,
        model=bool(services.settings.llm_model),
    )


@router.get("/search")
def search_page(request: Request, services: ServicesDep) -> Response:
    """The box for wordings."""
    max_chars = services.settings.max_question_chars
    return page(request, "search.html", query="", as_of=None, result=None, refused=None, max_chars=max_chars)


@router.post("/search")
def found_page(
    request: Request, services: ServicesDep, query: Annotated[str, Form()] = "", as_of: Annotated[str, Form()] = ""
) -> Response:
    """The hits, with the words that matched marked."""
    result, refused, day = None, None, day_of(as_of)
    try:
        result = services.searcher.search(query, limit=_SEARCH_LIMIT, filters=Filters(as_of=day))
    except InvalidInput as error:
        refused = error
    return page(
        request,
        "search.html",
        status=status_of(refused) if refused else 200,
        query=query,
        as_of=day,
        result=result,
        refused=refused,
        words=partial(matched, query=query),
        max_chars=services.settings.max_question_chars,
    )


def matched(hit: Hit, query: str) -> Pieces:
    """The passage with the words that matched marked; single characters, of which any text is full, only where one alone was asked for."""
    terms = [term.term for term in hit.explain.terms if len(term.term) > 1 or len(query.strip()) == 1]
    return found_words(hit.passage.text, terms[:_TERMS])


def examples(services: Services, t: Language) -> list[str]:
    """Questions about headings of the newest documents, one a document; those in the reader's own language first."""
    rows, _ = services.catalogue.rows(state="live", limit=_LOOKED_AT)
    own: list[str] = []
    other: list[str] = []
    for row in rows:
        if row.live is None or row.successor is not None:
            continue
        try:
            outline = services.files.outline(row.live)
        except FileMissing:  # the doctor reports it; the page need not fail for want of an example
            continue
        heading = _telling(outline, title=row.document.title)
        if heading:
            chinese = bool(_HAN.search(heading))
            (own if chinese == (t.code == "zh-CN") else other).append(heading)
        if len(own) == _EXAMPLES:
            break
    return [_as_question(heading, t) for heading in list(dict.fromkeys(own + other))[:_EXAMPLES]]


def _telling(outline: Iterable[OutlineEntry], *, title: str) -> str:
    """The first heading that says something: neither the title nor a word such as 总则, not so long that it is a sentence."""
    for entry in outline:
        heading = _NUMBERING.sub("", entry.title).strip()
        units = len(heading) if _HAN.search(heading) else len(heading.split()) * 2
        if 5 <= units <= 24 and heading not in title and title not in heading:
            return heading
    return ""


def _as_question(heading: str, t: Language) -> str:
    return heading if heading.endswith(("？", "?")) else t("ask.example", heading=heading)
