"""What has happened in the watched folders?"""

from fastapi import APIRouter

from api.schemas.watched import WatchedOut
from api.services import ServicesDep

router = APIRouter(tags=["documents"])


@router.get("/watched")
def show_watched(services: ServicesDep) -> WatchedOut:
    """The watched folders, and the files in them that are gone or could not be taken. Nothing is deleted because its file is gone."""
    return WatchedOut.of(services.watcher)


@router.post("/watched/look")
def look_now(services: ServicesDep) -> WatchedOut:
    """Look at once instead of waiting. A file that was not there at the look before is taken by one after `watch_quiet_s`."""
    services.watcher.look()
    return WatchedOut.of(services.watcher)
