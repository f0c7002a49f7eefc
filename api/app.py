"""How do others ask? `create_app` joins routes, pages, errors and the gate to one application around opened services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

import xuesi
from api import fetch, problems
from api.metrics import Metrics
from api.middleware import Gate
from api.pages import (
    ask,
    comparison,
    dictionary,
    library,
    reader,
    session,
    succession,
    suggestions,
    topics,
    trash,
    view,
)
from api.render import PageRenderer, chinese_font
from api.routes import (
    admin,
    answers,
    documents,
    error_pages,
    findings,
    health,
    jobs,
    login,
    pages_of_documents,
    search,
    watched,
)
from api.services import Drawing
from xuesi.core.errors import XuesiError
from xuesi.services import Services

API = "/api/v1"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
# What any endpoint may answer beside its own.
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {problems.MEDIA_TYPE: {"schema": _PROBLEM}}}
    for status, meaning in {
        401: "A write without the administrator's token.",
        403: "Not allowed.",
        404: "There is no such thing.",
        409: "Conflicts with what is there.",
        413: "Too large.",
        415: "A format that is not read.",
        422: "The input cannot be used.",
        429: "Too much at once.",
        500: "The server's own fault.",
        503: "A part does not answer; try again later.",
    }.items()
}


def create_app(
    services: Services, *, renderer: PageRenderer | None = None, network: fetch.Network | None = None
) -> FastAPI:
    """The application around opened services.

    Args:
        services: What answers; `request.app.state.services` for handlers.
        renderer: What draws pages; without one the application makes its own and ends it when it ends.
        network: The way out for documents that are fetched by their address.
    """
    settings = services.settings
    app = describe()
    app.state.services = services
    app.state.metrics = Metrics(services.catalogue)
    app.state.drawing = Drawing(renderer or PageRenderer(timeout_s=settings.render_timeout_s, font=chinese_font()))
    app.state.network = network or fetch.Network(fetch.resolve)
    app.add_middleware(Gate, settings=settings, metrics=app.state.metrics)
    return app


def describe() -> FastAPI:
    """The application's routes without what answers them: enough for its OpenAPI description."""
    app = FastAPI(
        title="Xuesi 学思",
        version=xuesi.__version__,
        summary="Cited answers from study materials that open in the original.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # their scripts would come from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    v1 = APIRouter(prefix=API, responses=_PROBLEMS)
    for routes in (findings, documents, pages_of_documents, watched, jobs, search, answers, admin):
        v1.include_router(routes.router)
    app.include_router(v1)
    for other in (
        health,
        login,
        error_pages,
        ask,
        comparison,
        dictionary,
        library,
        reader,
        session,
        succession,
        suggestions,
        topics,
        trash,
        view,
    ):
        app.include_router(other.router)
    app.state.error_page = view.error_page
    for kind in (XuesiError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, problems.handle)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await run_in_threadpool(app.state.drawing.renderer.close)
