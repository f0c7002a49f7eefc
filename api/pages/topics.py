"""Which topics are there? The page on which an administrator keeps the list that documents are compared with; it works without scripts."""

import re
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from api.pages.view import page, see
from api.routes.findings import replace_topics
from api.schemas.findings import TopicIO, TopicsIn
from api.services import ServicesDep
from xuesi.core.domain import Topic

router = APIRouter(include_in_schema=False)

_COLON = re.compile(r"\s*[:：]\s*")


@router.get("/topics")
def topics_page(request: Request, services: ServicesDep, notice: str = "") -> Response:
    """The list, to be changed by who may."""
    topics = services.catalogue.topics()
    return _page(request, topics=topics, lines=_lines(topics), saved=notice == "saved")


@router.post("/topics")
def set_topics(
    request: Request,
    services: ServicesDep,
    topics: Annotated[str, Form(max_length=1_000_000)] = "",
    gone: Annotated[list[str], Form()] = [],  # noqa: B006 never changed
) -> Response:
    """Replace the list by these lines, a topic each: name, colon, description. What cannot be taken is shown again as it was written.

    Topics leave the list only if they are named as `gone`: nobody takes out what was never seen, or was overwritten by mistake.
    """
    known = [it.name for it in services.catalogue.topics()]
    try:
        asked = TopicsIn(items=[_topic(line.strip(), known) for line in topics.splitlines() if line.strip()])
    except ValidationError:
        return _page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, lines=topics, refused=True)
    kept = {it.name for it in asked.items}
    leaving = [name for name in known if name not in kept]
    if not set(leaving) <= set(gone):
        return _page(request, status=HTTPStatus.CONFLICT, lines=topics, leaving=leaving)
    replace_topics(services, asked)
    return see("/topics?notice=saved")


def _page(
    request: Request,
    *,
    lines: str,
    status: int = HTTPStatus.OK,
    topics: Sequence[Topic] = (),
    leaving: Sequence[str] = (),
    saved: bool = False,
    refused: bool = False,
) -> Response:
    return page(
        request,
        "topics.html",
        status=status,
        topics=topics,
        lines=lines,
        leaving=leaving,
        saved=saved,
        refused=refused,
    )


def _topic(line: str, known: Collection[str]) -> TopicIO:
    """The topic of a line. A name that is there already may have a colon in it. Raises ValidationError."""
    begins = [name for name in known if line == name or (_COLON.match(line, len(name)) and line.startswith(name))]
    name = max(begins, key=len, default=_COLON.split(line, maxsplit=1)[0])
    return TopicIO(name=name, description=_COLON.sub("", line[len(name) :], count=1))


def _lines(topics: Sequence[Topic]) -> str:
    """A topic a line; line breaks that came over HTTP are spaces here."""
    return "\n".join(" ".join(f"{it.name}：{it.description}".split()) if it.description else it.name for it in topics)
