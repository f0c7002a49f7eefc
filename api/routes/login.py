"""How does an administrator's browser come to carry the token, and how does it lose it? By a cookie that stands for it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api import security
from api.services import ServicesDep

router = APIRouter(include_in_schema=False)


@router.post("/login")
def log_in(
    services: ServicesDep,
    request: Request,
    token: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form()] = "/",  # noqa: A002 the form's field
) -> Response:
    """Lead to `next`, a path of this server, with the cookie set."""
    request.state.after_login = next  # for the form that is shown again after a wrong token
    local = next.startswith("/") and not next.startswith(("//", "/\\"))
    response = RedirectResponse(next if local else "/", status_code=303)
    security.log_in(response, given=token, settings=services.settings, secure=request.url.scheme == "https")
    return response


@router.post("/logout")
def log_out() -> Response:
    """Lead to the first page, which is everybody's, without the cookie."""
    response = RedirectResponse("/", status_code=303)
    security.log_out(response)
    return response
