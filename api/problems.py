"""What does a caller see when something goes wrong? One table from error class to status, one shape for every error.

The shape is RFC 9457 (`application/problem+json`) with `code`, `request_id`, and where they apply `hint`, `errors` and `retry_after_s`; the page that
the application has for it (`app.state.error_page`) where the client prefers HTML. The framework's own errors (validation, unknown route, wrong method) come through the same door.
"""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import security
from api.schemas.shapes import Problem
from xuesi.core import errors
from xuesi.core.errors import XuesiError

_log = logging.getLogger("xuesi.api")

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[XuesiError], int] = {
    XuesiError: 500,
    errors.InvalidInput: 422,
    errors.UnsupportedFormat: 415,
    errors.DocumentTooLarge: 413,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.TokenRequired: 401,
    errors.LimitReached: 429,
    errors.Unavailable: 503,
    errors.Corrupt: 500,
    errors.Misconfigured: 500,
}
RETRY_AFTER_S = 5
# Their words name folders of this machine and addresses of its network.
_INSIDE = (errors.StoreUnavailable, errors.StorageFull, errors.ModelUnavailable)
_INSIDE_DETAIL = "A part of the server cannot do its work now. The log has the cause under this request's id."
_UNFORESEEN = "Something went wrong on the server. The log has the cause under this request's id."


def status_of(error: XuesiError | type[XuesiError]) -> int:
    """The HTTP status: that of the nearest class in the table."""
    kind = error if isinstance(error, type) else type(error)
    return next(STATUS[base] for base in kind.__mro__ if base in STATUS)


def body(error: Exception, *, request_id: str, instance: str) -> Problem:
    """The error as a problem; what only the log may know (tracebacks, damaged data) is left out of it."""
    if isinstance(error, RequestValidationError):
        return _invalid_request(error, request_id=request_id, instance=instance)
    if isinstance(error, HTTPException):
        return _framework_error(error, request_id=request_id, instance=instance)
    if not isinstance(error, XuesiError):
        return _problem("internal-error", "Something went wrong", 500, _UNFORESEEN, request_id, instance)
    status = status_of(error)
    detail = error.detail if status < 500 or error.retryable else _UNFORESEEN
    problem = _problem(error.code, error.title, status, detail, request_id, instance)
    if error.hint and detail is error.detail:
        problem["hint"] = error.hint
    if error.retryable:
        problem["retry_after_s"] = error.facts.get("retry_after_s", RETRY_AFTER_S)
    if "errors" in error.facts:
        problem["errors"] = error.facts["errors"]
    elif "field" in error.facts:
        problem["errors"] = [{"pointer": f"/{error.facts['field']}", "detail": error.detail}]
    if isinstance(error, errors.DuplicateDocument) and "document_id" in error.facts:
        problem["document_id"] = str(error.facts["document_id"])
    return problem


def respond(error: Exception, request: Request) -> Response:
    """The error as a response: JSON, or a page where the client prefers HTML."""
    cause = _cause(error)
    problem = report(cause, request)
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if "retry_after_s" in problem:
        headers["Retry-After"] = str(problem["retry_after_s"])
    if problem["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(cause, HTTPException) and cause.headers:
        headers.update(cause.headers)
    if prefers_html(request.headers):
        page = _page(problem, request)
        page.headers.update(headers)
        return page
    return JSONResponse(problem, status_code=problem["status"], headers=headers, media_type=MEDIA_TYPE)


def report(error: Exception, request: Request) -> Problem:
    """The problem of this request; what is the server's own fault is logged with its traceback, and what tells of its inside is for the administrator."""
    problem = body(error, request_id=request_id_of(request), instance=request.url.path)
    if problem["status"] == 500:
        _log.error("request %s failed: %s", problem["request_id"], error, exc_info=error)
    elif isinstance(error, _INSIDE) and not security.logged_in(request, request.app.state.services.settings):
        _log.error("request %s failed: %s", problem["request_id"], error)
        problem["detail"] = _INSIDE_DETAIL
    return problem


async def handle(request: Request, error: Exception) -> Response:
    """The one exception handler of the application."""
    return respond(error, request)


def request_id_of(request: Request) -> str:
    """The id under which the log speaks of this request."""
    return str(getattr(request.state, "request_id", ""))


def prefers_html(headers: Headers) -> bool:
    """Whether the client asks for HTML rather than for JSON (RFC 9110, 12.5.1): browsers do, programs do not."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    anything = 0.0
    for part in headers.get("accept", "*/*").split(","):
        name, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        name = name.strip().lower()
        if name in weights:
            weights[name] = weight
        elif name == MEDIA_TYPE:
            weights["application/json"] = max(weights["application/json"], weight)
        elif name == "*/*":
            anything = weight
    return weights["text/html"] > max(weights["application/json"], anything)


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _problem(code: str, title: str, status: int, detail: str, request_id: str, instance: str) -> Problem:
    return {
        "type": f"/errors/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": request_id,
    }


def _invalid_request(error: RequestValidationError, *, request_id: str, instance: str) -> Problem:
    fields = [_fault(e) for e in error.errors()]
    first = fields[0] if fields else {"pointer": "", "detail": "it cannot be read"}
    kind = errors.InvalidInput
    detail = f"{first['pointer'] or 'The request'}: {first['detail']}."
    return {**_problem(kind.code, kind.title, 422, detail, request_id, instance), "errors": fields}


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    if error["type"] == "json_invalid":  # its location counts bytes, and points at no member
        return {"pointer": "", "detail": f"it is not JSON ({error['ctx']['error']})"}
    return {"pointer": _pointer(error["loc"]), "detail": str(error["msg"]).removeprefix("Value error, ")}


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) for the body, the parameter's name for path and query."""
    where, *rest = location
    if where != "body":
        return "/".join(str(part) for part in rest)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)


def _framework_error(error: HTTPException, *, request_id: str, instance: str) -> Problem:
    if error.status_code == 404:
        kind = errors.NotFound
        return _problem(kind.code, kind.title, 404, f"There is nothing at {instance}.", request_id, instance)
    if error.status_code == 405:
        detail = f"{instance} does not take this method."
        return _problem("method-not-allowed", "This method is not allowed here", 405, detail, request_id, instance)
    title = HTTPStatus(error.status_code).phrase
    code = "invalid-input" if error.status_code < 500 else "internal-error"
    return _problem(code, title, error.status_code, str(error.detail), request_id, instance)


def _cause(error: Exception) -> Exception:
    """What the framework hides behind "There was an error parsing the body": our own error, or a full disk."""
    cause = error.__cause__
    if isinstance(error, HTTPException) and isinstance(cause, XuesiError):
        return cause
    if isinstance(error, HTTPException) and isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return errors.StorageFull(
            "There is no space left for the upload.", hint="Free space on the disk of the temporary folder."
        )
    return error


def _page(problem: Problem, request: Request) -> Response:
    page: Response = request.app.state.error_page(
        request,
        hint=problem.get("hint", ""),
        **{name: problem[name] for name in ("status", "title", "detail", "code", "request_id")},
    )
    return page
