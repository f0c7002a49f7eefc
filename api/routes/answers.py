"""What does the material say to a question?"""

from collections.abc import Iterator
from itertools import chain

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api import problems
from api.schemas.answers import AnswerOut, AskIn, CitationOut, StatementEvent
from api.schemas.search import filters_of
from api.services import ServicesDep
from api.streams import EventStream
from xuesi.core.domain import Answer, Citation
from xuesi.core.ports import AnswerEvent

router = APIRouter(tags=["answers"])

_STREAM = {"text/event-stream": {"schema": {"type": "string"}, "example": "event: statement\ndata: {…}\n\n"}}


@router.post("/ask", response_model=AnswerOut, responses={200: {"content": _STREAM}})
def ask(services: ServicesDep, request: Request, asked: AskIn) -> AnswerOut | Response:
    """Answer with cited statements, whole or, with `stream`, as events: citation, statement, done, error."""
    events = services.answerer.ask(
        asked.question, mode=asked.mode, filters=filters_of(asked.filters), conversation=asked.turns()
    )
    if not asked.stream:
        *_, answer = events
        assert isinstance(answer, Answer)
        return AnswerOut.of(answer, show_withheld=asked.show_withheld)
    events = iter(events)
    first = next(events)  # a question that cannot be asked is refused with its own status, before a stream begins
    return EventStream(
        _named(chain((first,), events), show_withheld=asked.show_withheld),
        close=getattr(events, "close", None),
        on_error=lambda error: problems.report(error, request),
    )


def _named(events: Iterator[AnswerEvent], *, show_withheld: bool) -> Iterator[tuple[str, BaseModel]]:
    index = 0
    for event in events:
        if isinstance(event, Citation):
            yield "citation", CitationOut.of(event)
        elif isinstance(event, Answer):
            yield "done", AnswerOut.of(event, show_withheld=show_withheld)
        else:
            yield "statement", StatementEvent.of(event, index)
            index += 1
