"""How does a person ask? The page with the one box, its answer for browsers without scripts, and the search for wordings.

Questions travel in the body of a POST, never in an address, so that none gets into a log or a browser's history of addresses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import TypeAdapter, ValidationError

from api.i18n import Language, language_of
from api.marks import Pieces, found_words
from api.pages.view import day_of, page
from api.problems import status_of
from api.schemas.answers import TurnIn
from api.services import ServicesDep
from xuesi.core.domain import Answer, Filters, Hit, OutlineEntry, Turn
from xuesi.core.errors import FileMissing, InvalidInput
from xuesi.services import Services

router = APIRouter(include_in_schema=False)

_EXAMPLES = 4
_LOOKED_AT = 40
_SEARCH_LIMIT = 20
_TERMS = 12
# What a page takes along of its conversation; ask.js keeps as much.
_TURNS, _TURN_CHARS = 12, 2000
_CONVERSATION = TypeAdapter(list[TurnIn])
_ASKED_BY_ITSELF: Mapping[str, Any] = {"conversation": "", "literal": "", "without": []}
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
    conversation: Annotated[str, Form()] = "",
    literal: Annotated[str, Form()] = "",
    without: Annotated[list[str], Form()] = [],  # noqa: B006 FastAPI makes a list of its own
) -> Response:
    """The whole answer as a page. The conversation comes from the page before and goes into this one; `literal` asks the question by itself."""
    day = day_of(as_of)
    turns = _turns_of(conversation)
    asked = {"conversation": _kept(turns), "literal": literal, "without": without}
    try:
        *_, answer = services.answerer.ask(
            question, filters=Filters(as_of=day), conversation=() if literal else turns, without=without
        )
    except InvalidInput as error:
        return _ask(request, services, question=question, as_of=day, answer=None, refused=error, asked=asked)
    assert isinstance(answer, Answer)
    said = Turn("assistant", "\n".join(statement.text for statement in answer.statements)[:_TURN_CHARS])
    goes_on = _kept([*turns, Turn("user", question[:_TURN_CHARS]), said])
    return _ask(request, services, question=question, as_of=day, answer=answer, asked=asked, goes_on=goes_on)


def _turns_of(conversation: str) -> list[Turn]:
    """The turns that a page sent along; none where they are not what a page sends."""
    try:
        return [Turn(turn.role, turn.content) for turn in _CONVERSATION.validate_json(conversation or "[]")]
    except ValidationError:
        return []


def _kept(turns: Sequence[Turn]) -> str:
    """The last turns as a page takes them along."""
    return _CONVERSATION.dump_json([TurnIn(role=it.role, content=it.content) for it in turns[-_TURNS:]]).decode()


def _ask(
    request: Request,
    services: Services,
    *,
    question: str,
    as_of: date | None,
    answer: Answer | None,
    refused: InvalidInput | None = None,
    asked: Mapping[str, Any] = _ASKED_BY_ITSELF,
    goes_on: str = "",
) -> Response:
    """The page. `asked` is what the question was asked with; `goes_on` what the next one is to be."""
    counts = services.catalogue.counts()
    return page(
        request,
        "ask.html",
        status=status_of(refused) if refused else 200,
        question=question,
        as_of=as_of,
        answer=answer,
        refused=refused,
        asked=asked,
        goes_on=goes_on or asked["conversation"],
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
    request: Request,
    services: ServicesDep,
    query: Annotated[str, Form()] = "",
    as_of: Annotated[str, Form()] = "",
    without: Annotated[list[str], Form()] = [],  # noqa: B006 FastAPI makes a list of its own
) -> Response:
    """The hits, with the words that matched marked."""
    result, refused, day = None, None, day_of(as_of)
    try:
        result = services.searcher.search(query, limit=_SEARCH_LIMIT, filters=Filters(as_of=day), without=without)
    except InvalidInput as error:
        refused = error
    return page(
        request,
        "search.html",
        status=status_of(refused) if refused else 200,
        query=query,
        as_of=day,
        without=without,
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
