"""How does a handler get at the program's parts? As typed dependencies, from the application that answers the request."""

from typing import Annotated

from fastapi import Depends, Request

from api.render import PageRenderer
from xuesi.wiring import Services


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _renderer(request: Request) -> PageRenderer:
    renderer: PageRenderer = request.app.state.renderer
    return renderer


ServicesDep = Annotated[Services, Depends(_services)]
RendererDep = Annotated[PageRenderer, Depends(_renderer)]
