"""Which topics are there? The page on which an administrator keeps the list that documents are compared with; it works without scripts."""

import re
from collections.abc import Sequence
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
    return page(request, "topics.html", topics=topics, lines=_lines(topics), saved=notice == "saved", refused=False)


@router.post("/topics")
def set_topics(
    request: Request, services: ServicesDep, topics: Annotated[str, Form(max_length=1_000_000)] = ""
) -> Response:
    """Replace the list by these lines, a topic each: name, colon, description. What cannot be taken is shown again as it was written."""
    try:
        asked = TopicsIn(items=[TopicIO(**_topic(line)) for line in topics.splitlines() if line.strip()])
    except ValidationError:
        return page(
            request,
            "topics.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            topics=[],
            lines=topics,
            saved=False,
            refused=True,
        )
    replace_topics(services, asked)
    return see("/topics?notice=saved")


def _topic(line: str) -> dict[str, str]:
    name, *description = _COLON.split(line.strip(), maxsplit=1)
    return {"name": name, "description": "".join(description)}


def _lines(topics: Sequence[Topic]) -> str:
    return "\n".join(f"{it.name}：{it.description}" if it.description else it.name for it in topics)
