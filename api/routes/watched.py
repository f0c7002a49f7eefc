"""What has happened in the watched folders?"""

from fastapi import APIRouter

from api.parts import Limit
from api.schemas.watched import WatchedOut
from api.services import ServicesDep

router = APIRouter(tags=["documents"])


@router.get("/watched")
def show_watched(services: ServicesDep, limit: Limit = 50, cursor: str = "") -> WatchedOut:
    """The watched folders, and the files in them that are gone or could not be taken. Nothing is deleted because its file is gone."""
    return WatchedOut.of(services.watcher, limit=limit, cursor=cursor)


@router.post("/watched/look")
def look_now(services: ServicesDep, limit: Limit = 50) -> WatchedOut:
    """Look at once instead of waiting. A file that was not there at the look before is taken by one after `watch_quiet_s`."""
    services.watcher.look()
    return WatchedOut.of(services.watcher, limit=limit, cursor="")
