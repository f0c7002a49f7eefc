"""A data folder with everything that takes files in and works on them, and a model that knows nothing."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.catalogue import SqlCatalogue, open_catalogue
from index.catalogue.files import FileStore
from ingest.apart.unpacking import UnpackingApart
from ingest.intake import Accepted, Duplicate, Intake, Metadata
from ingest.queue import HueyQueue, open_queue
from ingest.worker import drain, limits_of
from tests.fakes import HashEmbedder
from xuesi.core.domain import DocumentId, Job, Version
from xuesi.core.ports import Embedder
from xuesi.core.settings import Settings

STUDY_TEXT = """# 调查研究工作手册

## 一、为什么要调查研究

调查研究是谋事之基、成事之道。没有调查，就没有发言权；没有调查，就没有决策权。

## 二、怎样开展调查研究

要坚持问题导向，深入基层、深入群众。要把情况摸清，把问题找准，把对策提实。

1. 制定方案，明确目的。
2. 实地走访，座谈交流。
3. 形成报告，转化措施。
"""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The opened parts."""

    settings: Settings
    catalogue: SqlCatalogue
    files: FileStore
    queue: HueyQueue
    intake: Intake

    @property
    def secrets(self) -> list[Path]:
        """Where passwords wait."""
        folder = self.settings.data_dir / "secrets"
        return sorted(folder.iterdir()) if folder.exists() else []

    def take(self, content: str | bytes = STUDY_TEXT, file_name: str = "手册.md", **told: Any) -> Accepted | Duplicate:
        """Give a file to the intake; `document_id` makes it a version, all else is metadata."""
        document_id = told.pop("document_id", None)
        source = io.BytesIO(content.encode() if isinstance(content, str) else content)
        return self.intake.take(
            source,
            file_name=file_name,
            metadata=Metadata.parse(told),
            document_id=document_id and DocumentId(document_id),
        )

    def accepted(self, content: str | bytes = STUDY_TEXT, file_name: str = "手册.md", **told: Any) -> Accepted:
        """As `take`, for a file that is no duplicate."""
        taken = self.take(content, file_name, **told)
        assert isinstance(taken, Accepted)
        return taken

    def work(self, embedder: Embedder | None = None) -> int:
        """Work until no job waits."""
        return drain(
            catalogue=self.catalogue, files=self.files, embedder=embedder or HashEmbedder(), settings=self.settings
        )

    def job(self, taken: Accepted) -> Job:
        """The job as it is now."""
        return self.catalogue.job(taken.job.id)

    def version(self, taken: Accepted) -> Version:
        """The version as it is now."""
        return self.catalogue.version_by_id(taken.version.id)


@contextmanager
def open_workshop(data_dir: Path, **settings: Any) -> Iterator[Workshop]:
    """Open one in the folder; further settings by name."""
    own = Settings(data_dir=data_dir, max_file_mb=1, **settings)
    with open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}") as catalogue:
        files, queue = FileStore(data_dir / "files"), open_queue("", data_dir)
        unpack = UnpackingApart(data_dir / "unpacking", limits_of(own), max_member_bytes=own.max_file_mb * 1_000_000)
        intake = Intake(
            catalogue=catalogue,
            files=files,
            queue=queue,
            unpack=unpack,
            max_bytes=own.max_file_mb * 1_000_000,
            secrets=data_dir / "secrets",
        )
        yield Workshop(own, catalogue, files, queue, intake)
        unpack.close()
        queue.close()
