"""Is the catalogue whole, and does it contradict itself?"""

from index.doctor.finding import ERROR, Finding
from xuesi.core.errors import Corrupt
from xuesi.core.ports import Catalogue, FaultKind
from xuesi.core.text import counted

_SAID = {
    FaultKind.DAMAGED: ("catalogue-damaged", "The catalogue's file is damaged.", "Stop the server and restore the last backup: xuesi restore FILE."),
    FaultKind.INDEX: ("catalogue-index", "The catalogue's own indices do not fit its rows.", "xuesi doctor --repair makes them anew."),
    FaultKind.LOST_ROW: ("lost-rows", "The catalogue has rows that belong to nothing.", "xuesi doctor --repair deletes them."),
    FaultKind.TWO_LIVE: ("two-live", "A document has two live versions.", "xuesi doctor --repair retires all but the newest."),
    FaultKind.CIRCLE: ("superseded-in-a-circle", "Documents supersede each other in a circle, so none of them answers.", "xuesi doctor --repair lets the one with the latest day stand for itself; if that is the wrong one: xuesi supersede."),
}  # fmt: skip


def examine_catalogue(catalogue: Catalogue) -> list[Finding]:
    """Faults of the database file and contradictions between rows, a finding a kind."""
    try:
        faults = catalogue.faults()
    except Corrupt as error:  # so damaged that it cannot even be looked through
        code, detail, hint = _SAID[FaultKind.DAMAGED]
        return [Finding(code, ERROR, detail, hint, (error.detail,))]
    findings = []
    for kind, (code, detail, hint) in _SAID.items():
        items = tuple(fault.what for fault in faults if fault.kind is kind)
        if items:
            mend = None if kind is FaultKind.DAMAGED else catalogue.mend_faults
            findings.append(Finding(code, ERROR, f"{detail} ({counted(len(items), 'place')})", hint, items, mend))
    return findings
