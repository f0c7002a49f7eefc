"""How does a handler get at the program's parts? As typed dependencies, from the application that answers the request."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, Request

from api.render import PageRenderer
from xuesi.services import Services

P = ParamSpec("P")
T = TypeVar("T")


class Drawing:
    """The renderer, called from threads of its own: who waits for a slow page must not hold a thread that a question needs."""

    def __init__(self, renderer: PageRenderer) -> None:
        self.renderer = renderer
        self._limiter = CapacityLimiter(2)

    async def run(self, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Call a method of the renderer when it is this request's turn."""
        return await run_sync(partial(call, *args, **options), limiter=self._limiter)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _drawing(request: Request) -> Drawing:
    drawing: Drawing = request.app.state.drawing
    return drawing


ServicesDep = Annotated[Services, Depends(_services)]
DrawingDep = Annotated[Drawing, Depends(_drawing)]
