"""What does an error mean? The page behind every problem's `type`."""

import inspect
from collections.abc import Iterator

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages.view import page
from api.problems import status_of
from xuesi.core.errors import NotFound, XuesiError

router = APIRouter(include_in_schema=False)

# Errors that no class of ours stands for: (title, status, meaning).
FRAMEWORK = {
    "method-not-allowed": (
        "This method is not allowed here",
        405,
        "The address is right, but it is not asked this way.",
    ),
    "internal-error": (
        "Something went wrong",
        500,
        "The server failed in a way nobody foresaw; its log has the cause under the request's id.",
    ),
}


@router.get("/errors/{code}")
def error_kind(request: Request, code: str) -> Response:
    """What an error code means, and which status it comes with."""
    title, status, meaning = _meaning(code)
    return page(request, "error_kind.html", code=code, title=title, code_status=status, meaning=meaning)


def _meaning(code: str) -> tuple[str, int, str]:
    if code in FRAMEWORK:
        return FRAMEWORK[code]
    for kind in _kinds(XuesiError):
        if kind.code == code:
            return kind.title, status_of(kind), " ".join((inspect.getdoc(kind) or "").split())
    raise NotFound(f"There is no error {code}.")


def _kinds(kind: type[XuesiError]) -> Iterator[type[XuesiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)
