"""The whole path of a file, from intake to search, with the real parts and an embedder that is quick: what server and worker do, in one thread."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.doctor.examine import examine
from index.doctor.finding import Finding, Parts
from ingest.apart.unpacking import UnpackingApart
from ingest.intake import Accepted, Duplicate, Intake, Metadata
from ingest.queue import HueyQueue, open_queue
from ingest.worker import drain, limits_of
from tests.index_samples import Library, open_library
from xuesi.core.domain import Job, Version
from xuesi.core.settings import Settings


@dataclass(frozen=True, slots=True)
class WholePath:
    """The opened parts."""

    library: Library
    intake: Intake
    settings: Settings
    queue: HueyQueue

    def take(self, data: bytes, file_name: str, **told: Any) -> Accepted | Duplicate:
        """Give a file to the intake."""
        return self.intake.take(io.BytesIO(data), file_name=file_name, metadata=Metadata.parse(told))

    def work(self, *, refuse_same: bool = True) -> None:
        """Read, embed and publish until nothing waits."""
        catalogue, files = self.library.catalogue, self.library.files
        drain(
            catalogue=catalogue,
            files=files,
            embedder=self.library.embedder,
            settings=self.settings,
            refuse_same=refuse_same,
        )
        while self.library.publisher.step():
            pass

    def end(self, taken: Accepted) -> tuple[Job, Version]:
        """How it ended."""
        return self.library.catalogue.job(taken.job.id), self.library.catalogue.version_by_id(taken.version.id)

    def findings(self) -> list[Finding]:
        """What the doctor says of it."""
        library = self.library
        return examine(
            Parts(
                catalogue=library.catalogue,
                files=library.files,
                indexes=library.indexes,
                publisher=library.publisher,
                queue=self.queue,
                settings=self.settings,
                fingerprint=library.embedder.fingerprint,
                dimension=library.embedder.dimension,
            )
        )


@contextmanager
def open_whole_path(folder: Path, **settings: Any) -> Iterator[WholePath]:
    """Open one in the folder; further settings by name."""
    own = Settings(data_dir=folder, **{"max_file_mb": 20, **settings})
    with open_library(folder) as library:
        queue = open_queue("", folder)
        most = own.max_file_mb * 1_000_000
        unpack = UnpackingApart(folder / "unpacking", limits_of(own), max_member_bytes=most)
        intake = Intake(
            catalogue=library.catalogue,
            files=library.files,
            queue=queue,
            unpack=unpack,
            max_bytes=most,
            secrets=folder / "secrets",
        )
        yield WholePath(library, intake, own, queue)
        unpack.close()
        queue.close()
