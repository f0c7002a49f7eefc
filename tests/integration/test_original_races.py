"""Does an original stay while somebody adds it, whoever removes the same bytes at that moment?"""

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from ingest.apart.limits import Limits
from ingest.apart.unpacking import UnpackingApart
from ingest.intake import Accepted, Intake
from ingest.metadata import Metadata
from ingest.queue import open_queue
from tests.index_samples import Library, open_library
from xuesi.core.domain import Version
from xuesi.core.errors import UnsupportedFormat

ROOT = Path(__file__).parents[2]
TEXT = "读书班每期五天。".encode()
SHA256 = hashlib.sha256(TEXT).hexdigest()
_A_WHILE_S = 0.5  # long enough for the other side to go wrong, if nothing holds it


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def no_unpacking(folder: Path) -> UnpackingApart:
    """No file here holds others, so nothing is ever started."""
    return UnpackingApart(folder / "unpacking", Limits(), max_member_bytes=1000)


@pytest.fixture
def intake(library: Library, tmp_path: Path) -> Iterator[Intake]:
    queue = open_queue("", tmp_path)
    yield Intake(
        catalogue=library.catalogue,
        files=library.files,
        queue=queue,
        unpack=no_unpacking(tmp_path),
        max_bytes=1000,
        secrets=tmp_path / "s",
    )
    queue.close()


def upload(intake: Intake, name: str = "读书班.txt") -> Version:
    taken = intake.take(io.BytesIO(TEXT), file_name=name, metadata=Metadata.parse({}))
    assert isinstance(taken, Accepted)
    return taken.version


def deleted_document(library: Library, intake: Intake) -> Version:
    version = upload(intake)
    library.catalogue.delete_document(version.document_id, at=datetime.now(UTC))
    return version


class Meanwhile:
    """Runs one call in a thread of its own when it is hit, and gives it a while; what it returned or raised is had at the end."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._thread: Thread | None = None
        self._raised: BaseException | None = None

    def hit(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run)
            self._thread.start()
            self._thread.join(_A_WHILE_S)

    def end(self) -> None:
        assert self._thread, "it never came to this"
        self._thread.join(20)
        assert not self._thread.is_alive()
        if self._raised:
            raise self._raised

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001 handed on by `end`
            self._raised = error


def after(part: object, name: str, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hit `meanwhile` when that method has worked and before its caller goes on."""
    real = getattr(part, name)

    def then_hit(*args: object, **options: object) -> object:
        result = real(*args, **options)
        meanwhile.hit()
        return result

    monkeypatch.setattr(part, name, then_hit)


def test_bytes_uploaded_while_the_purge_has_found_nobody_who_needs_them_stay(
    library: Library, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted_document(library, intake)
    uploaded = Meanwhile(lambda: upload(intake))
    after(library.catalogue, "has_original", uploaded, monkeypatch)
    library.publisher.step()
    uploaded.end()
    assert library.files.original(SHA256).read_bytes() == TEXT
    assert library.catalogue.counts()["documents"] == 1


@pytest.mark.parametrize("step", ["_recognised", "add_document"])
def test_the_purge_leaves_bytes_alone_that_are_being_added(
    library: Library, intake: Intake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    gone = deleted_document(library, intake)
    purged = Meanwhile(library.publisher.step)
    after(library.catalogue if step == "add_document" else intake, step, purged, monkeypatch)
    upload(intake)
    purged.end()
    assert library.files.original(SHA256).read_bytes() == TEXT
    assert library.catalogue.deleted() == []
    assert library.catalogue.has_original(gone.sha256)


def test_a_refused_twin_does_not_take_the_bytes_along(
    library: Library, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        with pytest.raises(UnsupportedFormat):
            upload(intake, "读书班.docx")

    twin = Meanwhile(refused)
    after(intake, "_recognised", twin, monkeypatch)
    upload(intake)
    twin.end()
    assert library.files.original(SHA256).read_bytes() == TEXT


def test_a_purge_waits_for_another_process_that_adds_the_bytes(
    library: Library, intake: Intake, tmp_path: Path
) -> None:
    deleted_document(library, intake)
    with subprocess.Popen(
        [sys.executable, "-c", _UPLOAD_SLOWLY, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "recognised\n"
        purged = Meanwhile(library.publisher.step)
        purged.hit()
        other.stdin.write("go on\n")
        other.stdin.flush()
        assert other.stdout.readline() == "added\n"
        purged.end()
    assert other.returncode == 0
    assert library.files.original(SHA256).read_bytes() == TEXT
    assert library.catalogue.deleted() == []


_UPLOAD_SLOWLY = """
import sys
from pathlib import Path
import tests.integration.test_original_races as races
from ingest.intake import Intake
from ingest.queue import open_queue
from index.catalogue import open_catalogue
from index.catalogue.files import FileStore

folder = Path(sys.argv[1])
with open_catalogue(f"sqlite:///{folder / 'catalogue.db'}") as catalogue:
    intake = Intake(catalogue=catalogue, files=FileStore(folder / "files"), queue=open_queue("", folder), unpack=races.no_unpacking(folder), max_bytes=1000, secrets=folder / "s")
    recognised = intake._recognised
    def slowly(version):
        found = recognised(version)
        print("recognised", flush=True)
        sys.stdin.readline()
        return found
    intake._recognised = slowly
    races.upload(intake)
    print("added", flush=True)
"""


def test_uploads_and_purges_at_once_never_lose_an_original(library: Library, intake: Intake) -> None:
    """Every order that chance finds in a second or so, with three who upload, remove and purge the same bytes."""

    def purge() -> None:
        for _ in range(60):
            library.publisher.step()

    def add_and_remove() -> None:
        for _ in range(20):
            taken = intake.take(io.BytesIO(TEXT), file_name="a.txt", metadata=Metadata.parse({}))
            assert library.files.original(SHA256).read_bytes() == TEXT, "an original of a document that is there"
            if isinstance(taken, Accepted):
                library.catalogue.delete_document(taken.document.id, at=datetime.now(UTC))

    workers = [Meanwhile(purge), Meanwhile(add_and_remove)]
    for worker in workers:
        worker._thread = Thread(target=worker._run)
        worker._thread.start()
    for worker in workers:
        worker.end()
    library.publisher.step()
    assert library.catalogue.deleted() == []
    assert not library.catalogue.has_original(SHA256)
    assert list(library.files._folder.iterdir()) == []
