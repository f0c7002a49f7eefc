"""Who may change something? The administrator's token, and the refusal of what other web sites make a browser send.

Until there are accounts the server listens on loopback, or has a token that every write carries. Writes are all requests but GET, HEAD and OPTIONS,
search, questions, and logging in and out.
"""

import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from xuesi.core.errors import Forbidden, Misconfigured, TokenRequired
from xuesi.core.settings import Settings

LOGIN_COOKIE = "xuesi_login"
_COOKIE_AGE_S = 30 * 24 * 3600
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What a POST may ask without the token.
ASKING = frozenset(
    {"/api/v1/search", "/api/v1/ask", "/v1/chat/completions", "/mcp", "/", "/search", "/login", "/logout"}
)

# What a GET gives the administrator only: titles of what was removed, and a look through the whole library.
_GUARDED = frozenset(
    # what was removed; and what tells of folders, models and errors of this machine
    {"/api/v1/trash", "/api/v1/doctor", "/api/v1/watched", "/api/v1/embedding-model"}
)


def check_exposure(settings: Settings) -> None:
    """Refuse to start where strangers could change the library.

    Raises:
        Misconfigured: If the server is to listen on anything but loopback and has no token.
    """
    if _token(settings) is None and not is_loopback(settings.host):
        raise Misconfigured(
            f"host={settings.host} can be reached from other machines, and admin_token is not set.",
            hint="Set XUESI_ADMIN_TOKEN (every write must then carry it), or listen on 127.0.0.1.",
            setting="admin_token",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(request: Request, settings: Settings) -> None:
    """Let a request pass or not.

    Raises:
        Forbidden: If another web site sent it, or it came by a name that is not this server's.
        TokenRequired: If it is a write, or a look at what is the administrator's, without the token.
    """
    token = _token(settings)
    if token is None:
        _check_host(request)
    path, reads = request.url.path, request.method in _READING
    if not reads:
        _check_origin(request)
    open_to_all = path not in _GUARDED if reads else path in ASKING
    if token is not None and not open_to_all and not _carries(request, token):
        raise TokenRequired(
            f"This {'is for the administrator' if reads else 'changes the library'}, and the administrator's token is missing or wrong.",
            hint="Log in at /login, give it to a command as XUESI_ADMIN_TOKEN, or send it as `Authorization: Bearer …`.",
        )


def log_in(response: Response, *, given: str, settings: Settings, secure: bool) -> None:
    """Put the cookie that stands for the token on the response.

    Raises:
        TokenRequired: If what was given is not the token.
    """
    token = _token(settings)
    if token is None:
        return
    if not _same(given.encode(), token):
        raise TokenRequired("This is not the administrator's token.", hint="It is the value of XUESI_ADMIN_TOKEN.")
    response.set_cookie(
        LOGIN_COOKIE, _cookie_for(token), max_age=_COOKIE_AGE_S, httponly=True, samesite="strict", secure=secure
    )


def log_out(response: Response) -> None:
    """Have the browser forget the cookie that stands for the token."""
    response.delete_cookie(LOGIN_COOKIE, httponly=True, samesite="strict")


def needs_token(settings: Settings) -> bool:
    """Whether there is a token at all."""
    return _token(settings) is not None


def logged_in(request: Request, settings: Settings) -> bool:
    """Whether writes of this browser are let through."""
    token = _token(settings)
    return token is None or _carries(request, token)


def _token(settings: Settings) -> str | None:
    return (settings.admin_token.get_secret_value() or None) if settings.admin_token else None


def _carries(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Header bytes come decoded as Latin-1; a token may hold anything that UTF-8 can say.
    if scheme.lower() == "bearer" and _same(given.strip().encode("latin-1"), token):
        return True
    return _same(request.cookies.get(LOGIN_COOKIE, "").encode(), _cookie_for(token))


def _cookie_for(token: str) -> str:
    """Follows from the token, so that a new token ends every login, and does not tell it."""
    return hmac.new(token.encode(), b"xuesi login", hashlib.sha256).hexdigest()


def _same(given: bytes, expected: str) -> bool:
    return hmac.compare_digest(given, expected.encode())


def _check_host(request: Request) -> None:
    """Without a token the browser's rules are the only fence, and a foreign name that leads to this address (DNS rebinding) passes them."""
    host = _host_of(request)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not is_loopback(host):
            raise Forbidden(
                f"This server is not known as {host or 'nothing'}.",
                hint="Use http://127.0.0.1 or http://localhost, or set XUESI_ADMIN_TOKEN to serve under a name.",
            ) from None


def _check_origin(request: Request) -> None:
    """Refuse what a page of another site makes the browser send (Fetch metadata; `Origin` where a browser has none)."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    foreign = (
        site in {"cross-site", "same-site"} if site else bool(origin) and _authority(origin) != _authority_of(request)
    )
    if foreign:
        raise Forbidden(
            f"A page of {origin or 'another site'} may not change anything here.",
            hint="Open this server's own pages and do it there.",
        )


def _authority(origin: str) -> str:
    return urlsplit(origin).netloc.lower()


def _authority_of(request: Request) -> str:
    return request.headers.get("host", "").lower()


def _host_of(request: Request) -> str:
    return (urlsplit("//" + request.headers.get("host", "")).hostname or "").lower()
