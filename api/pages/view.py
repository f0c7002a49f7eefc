"""How does a page come out? One Jinja environment, the language of the reader, and the files of the look under a name that changes with them."""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import URL

from api import security
from api.i18n import LANGUAGE_COOKIE, LANGUAGES, language_of
from api.schemas.search import reader_url
from xuesi.core.errors import InvalidInput, PageNotFound

_API = Path(__file__).parent.parent
_STATIC: Mapping[str, bytes] = {p.name: p.read_bytes() for p in sorted((_API / "static").iterdir()) if p.is_file()}
_PACKED: Mapping[str, bytes] = {name: gzip.compress(data, mtime=0) for name, data in _STATIC.items()}
_DIGEST = hashlib.sha256(b"".join(name.encode() + data for name, data in _STATIC.items())).hexdigest()[:12]
_YEAR_S = 365 * 24 * 3600
# What the modules in the browser say; embedded in each page that loads one.
_BROWSER_TABLES = ("js", "ask", "error", "state", "pace")

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_API / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["reader"] = lambda document_id, version, span: f"{reader_url(document_id, version, span)}#mark"
# What a chooser of files offers; a replacement may be no ZIP.
_ENVIRONMENT.globals["endings"] = (
    ".pdf,.docx,.pptx,.xlsx,.doc,.ppt,.xls,.wps,.dps,.et,.odt,.rtf,.epub,.html,.htm,.md,.markdown,.csv,.tsv,.txt,"
    ".png,.jpg,.jpeg,.tif,.tiff,.webp,.bmp,.eml"
)
_ENVIRONMENT.globals["now"] = lambda: datetime.now(UTC)
_ENVIRONMENT.globals["static"] = lambda name: f"/static/{_DIGEST}/{name}"

router = APIRouter(include_in_schema=False)


@router.get("/static/{digest}/{name}")
def static(request: Request, digest: str, name: str) -> Response:
    """A file of the look, packed for who takes it so. Its address holds the digest of all of them, so it may be kept for a year; a stale address is not."""
    if name not in _STATIC:
        raise PageNotFound(f"There is no file {name}.")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    keep = f"public, max-age={_YEAR_S}, immutable" if digest == _DIGEST else "no-cache"
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding"}
    # Only what is the same for everybody is packed: the size of a packed page would tell of the secrets in it.
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_PACKED[name], media_type=media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(_STATIC[name], media_type=media_type, headers=headers)


@router.get("/favicon.ico")
def favicon() -> Response:
    """The seal, for browsers that ask for it unasked."""
    return Response(_STATIC["seal.svg"], media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


def page(request: Request, template: str, *, status: int = HTTPStatus.OK, **facts: Any) -> Response:
    """The template in the reader's language. An address with ?lang= remembers the choice and leads to itself without it."""
    chosen = request.query_params.get("lang")
    if chosen and chosen in LANGUAGES and request.method == "GET":
        moved = RedirectResponse(_local(request.url.remove_query_params("lang")), status_code=HTTPStatus.SEE_OTHER)
        moved.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="lax")
        return moved
    return HTMLResponse(
        _render(request, template, {**facts, "status": int(status)}),
        status_code=status,
        headers={"Cache-Control": "no-store"},
    )


def fragment(request: Request, template: str, **facts: Any) -> HTMLResponse:
    """A part of a page, for a module that puts it in its place."""
    return HTMLResponse(_render(request, template, facts), headers={"Cache-Control": "no-store"})


def error_page(
    request: Request, *, status: int, title: str, detail: str, hint: str, code: str, request_id: str
) -> Response:
    """A problem as a page, for who asked for HTML. Title and hint are the language's own where it has them for the code."""
    t = language_of(request)
    if request.url.path == "/login" and status == HTTPStatus.UNAUTHORIZED:
        after = getattr(request.state, "after_login", "/library")
        return page(request, "login.html", status=status, needed=True, wrong=True, next=after)
    return page(
        request,
        "error.html",
        status=status,
        title=t.get(f"error.{code}.title", title),
        hint=hint if hint and t.code == "en" else t.get(f"error.{code}.hint", hint),
        detail=detail,
        code=code,
        request_id=request_id,
    )


def day_of(given: str) -> date | None:
    """A day as forms send it, None for none. Raises InvalidInput if it is no day."""
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise InvalidInput(f"{given} is not a day.", hint="Write it as YYYY-MM-DD.") from error


def see(address: str) -> RedirectResponse:
    """Lead to an address of ours after a form was sent."""
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)


def _render(request: Request, template: str, facts: Mapping[str, Any]) -> str:
    t = language_of(request)
    others = [
        (code, _local(request.url.include_query_params(lang=code)) if request.method == "GET" else f"/?lang={code}")
        for code in LANGUAGES
        if code != t.code
    ]
    settings = request.app.state.services.settings
    signed_out = not security.logged_in(request, settings)
    words = json.dumps(t.under(_BROWSER_TABLES), ensure_ascii=False).replace("<", "\\u003c")
    return _ENVIRONMENT.get_template(template).render(
        t=t,
        here=request.url.path,
        place=_local(request.url) if request.method == "GET" else "/",
        other_languages=others,
        browser_words=Markup(words),  # noqa: S704 JSON without "<"
        signed_out=signed_out,
        signed_in=not signed_out and security.needs_token(settings),
        **facts,
    )


def _local(url: URL) -> str:
    """The address on this server. One slash in front: behind two, a browser takes the path's first part for another server."""
    path = "/" + quote(url.path).lstrip("/")
    return f"{path}?{url.query}" if url.query else path
