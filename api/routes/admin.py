"""What does an administrator ask of a running server?"""

from fastapi import APIRouter

from api.schemas import FindingOut, RebuiltOut, Report
from api.services import ServicesDep
from index.doctor import Finding

router = APIRouter(tags=["administration"])


@router.post("/reindex")
def reindex(services: ServicesDep) -> RebuiltOut:
    """Rebuild both indexes from the catalogue while the old ones go on answering; answers when it is done."""
    return RebuiltOut.model_validate(services.reindex())


@router.get("/doctor")
def doctor(services: ServicesDep) -> Report:
    """What is wrong with this installation, and how to mend it."""
    return _report(services.doctor())


@router.post("/doctor/repair")
def repair(services: ServicesDep) -> Report:
    """Mend what can be mended; what is still wrong afterwards."""
    return _report(services.repair())


def _report(findings: list[Finding]) -> Report:
    return Report(findings=[FindingOut.model_validate(finding) for finding in findings])
