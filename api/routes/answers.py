"""What does the material say to a question?"""

from collections.abc import Iterator

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api import problems
from api.schemas.answers import AnswerOut, AskIn, CitationOut, StatementEvent, UnderstoodOut
from api.schemas.search import filters_of
from api.services import ServicesDep
from api.streams import EventStream
from xuesi.core.domain import Answer, Citation, Understood
from xuesi.core.ports import AnswerEvent

router = APIRouter(tags=["answers"])

_STREAM = {"text/event-stream": {"schema": {"type": "string"}, "example": "event: statement\ndata: {…}\n\n"}}


@router.post("/ask", response_model=AnswerOut, responses={200: {"content": _STREAM}})
def ask(services: ServicesDep, request: Request, asked: AskIn) -> AnswerOut | Response:
    """Answer with cited statements, whole or, with `stream`, as events: understood, citation, statement, done, error.

    A question that only goes on from the `conversation` (那第二点呢？, 那2024年呢？, 为什么？, "and in 2024?", "Why?") is completed from it by rules;
    `understood.question` is then the one that is answered. Periods and documents that the question names are `understood` as in a search.
    The event `understood` comes first, and only where something was.
    """
    events = services.answerer.ask(
        asked.question,
        mode=asked.mode,
        filters=filters_of(asked.filters),
        conversation=asked.turns(),
        without=asked.without,
    )
    if not asked.stream:
        *_, answer = events
        assert isinstance(answer, Answer)
        return AnswerOut.of(answer, show_withheld=asked.show_withheld)
    return EventStream(  # a question that cannot be asked was refused above, with its own status
        _named(events, show_withheld=asked.show_withheld),
        close=getattr(events, "close", None),
        on_error=lambda error: problems.report(error, request),
    )


def _named(events: Iterator[AnswerEvent], *, show_withheld: bool) -> Iterator[tuple[str, BaseModel]]:
    index = 0
    for event in events:
        if isinstance(event, Understood):
            yield "understood", UnderstoodOut.of(event)
        elif isinstance(event, Citation):
            yield "citation", CitationOut.of(event)
        elif isinstance(event, Answer):
            yield "done", AnswerOut.of(event, show_withheld=show_withheld)
        else:
            yield "statement", StatementEvent.of(event, index)
            index += 1
