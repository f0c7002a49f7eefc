"""What does the doctor speak of? A finding: one kind of thing that is wrong, everything that it is wrong with, and what mends it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from index.change import Progress
from index.indexes import Indexes
from index.publish import Publisher
from xuesi.core.domain import Document, DocumentId, Version
from xuesi.core.errors import DocumentNotFound
from xuesi.core.ports import Catalogue, Files, Queue
from xuesi.core.settings import Settings

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of difference. `severity` is "error", "warning", or "note" for what is as it should be and worth knowing; `items` names everything that has it.

    `mend` does what can be done, if anything can; with `by_job` it only queues jobs, and is done when they are.
    """

    code: str
    severity: str
    detail: str
    hint: str
    items: tuple[str, ...] = ()
    mend: Callable[[], object] | None = field(default=None, compare=False, repr=False)
    by_job: bool = False

    @property
    def repairable(self) -> bool:
        """Whether `xuesi doctor --repair` can do something about it."""
        return self.mend is not None


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at. `change` says how far a change of the model is.

    `fingerprint` and `dimension` are those of the model in force when the look began: another may take its place meanwhile, but its vectors stay.
    """

    catalogue: Catalogue
    files: Files
    indexes: Indexes
    publisher: Publisher
    queue: Queue
    settings: Settings
    fingerprint: str
    dimension: int
    change: Progress | None = None


class Names:
    """What versions are called where people read of them. Documents are looked up once."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._titles: dict[DocumentId, str] = {it.id: it.title for it in documents}

    def of(self, version: Version, catalogue: Catalogue) -> str:
        """Such as: “Title”, version 2 (document 0199…)."""
        if version.document_id not in self._titles:
            try:
                self._titles[version.document_id] = catalogue.document(version.document_id).title
            except DocumentNotFound:
                self._titles[version.document_id] = "removed just now"
        title = self._titles[version.document_id]
        return f"“{title}”, version {version.number} (document {version.document_id})"
