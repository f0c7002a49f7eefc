"""Which names and set phrases are found whole? The page on which an administrator keeps them, a line each; it works without scripts."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from api.pages.view import page, see
from api.schemas.findings import DictionaryIn, EntryIO
from api.services import ServicesDep

router = APIRouter(include_in_schema=False)


@router.get("/dictionary")
def dictionary_page(request: Request, services: ServicesDep, notice: str = "") -> Response:
    """The dictionary, to be changed by who may."""
    return _page(request, lines="\n".join(services.dictionary.entries()), saved=notice == "saved")


@router.post("/dictionary")
def set_dictionary(
    request: Request,
    services: ServicesDep,
    entries: Annotated[str, Form(max_length=1_000_000)] = "",
    gone: Annotated[str, Form(max_length=1_000_000)] = "",
) -> Response:
    """Replace the dictionary by these lines. What cannot be taken is shown again as it was written.

    Entries leave it only if they are named as `gone`, a line each: nobody takes out what was never seen, or was overwritten by mistake.
    """
    try:
        asked = DictionaryIn(items=[EntryIO(text=line) for line in entries.splitlines() if line.strip()])
    except ValidationError:
        return _page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, lines=entries, refused=True)
    kept = [it.text for it in asked.items]
    leaving = sorted(set(services.dictionary.entries()) - set(kept))
    if not set(leaving) <= set(gone.splitlines()):
        return _page(request, status=HTTPStatus.CONFLICT, lines=entries, leaving=leaving)
    services.dictionary.replace(kept)
    return see("/dictionary?notice=saved")


def _page(
    request: Request,
    *,
    lines: str,
    status: int = HTTPStatus.OK,
    leaving: Sequence[str] = (),
    saved: bool = False,
    refused: bool = False,
) -> Response:
    return page(request, "dictionary.html", status=status, lines=lines, leaving=leaving, saved=saved, refused=refused)
