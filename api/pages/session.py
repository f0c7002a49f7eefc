"""How does an administrator sign in? The form; api/routes/login.py takes it and sets the cookie, and takes it away again."""

from fastapi import APIRouter, Request, Response

from api import security
from api.pages.view import page
from api.services import ServicesDep

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request, services: ServicesDep, next: str = "/library") -> Response:  # noqa: A002 the address's word
    """The form, or the word that one is signed in or need not be."""
    needed = not security.logged_in(request, services.settings)
    return page(request, "login.html", needed=needed, wrong=False, next=next)
