"""Does a backup hold everything, whatever happens while it is taken, and is it restored whole or not at all?"""

import hashlib
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import xuesi.wiring
from api.app import create_app
from index.backup import ROOT, open_backup
from index.catalogue import open_catalogue
from index.embedders.openvino_model import OpenVinoEmbedder
from index.restore import restore
from ingest.intake import Accepted
from ingest.metadata import Metadata
from ingest.worker import drain
from tests.api_library import BASE, served
from tests.index_samples import Library, open_library
from tests.workshop import STUDY_TEXT, open_workshop
from xuesi.core.domain import Answer, JobState, Version, VersionState
from xuesi.core.errors import DocumentNotFound, Misconfigured, NewerCatalogue, NotFound, UnusableBackup, WrongState
from xuesi.core.models import FINGERPRINT_FACT
from xuesi.core.ports import Reading
from xuesi.core.settings import Settings
from xuesi.offline import backup_offline, restore_offline
from xuesi.services import Services
from xuesi.wiring import open_services

SAMPLES = Path(__file__).parents[2] / "corpus" / "sample"
QUESTIONS = ("读书班怎样组织", "调研报告的结论怎样才站得住？", "Who was invited to the reading class?")


@contextmanager
def opened_library(folder: Path) -> Iterator[Library]:
    with open_library(folder) as opened:
        opened.catalogue.set_fact(FINGERPRINT_FACT, opened.embedder.fingerprint)  # as a server does when it starts
        yield opened


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with opened_library(tmp_path / "var") as opened:
        yield opened


def published(library: Library, title: str, texts: list[str]) -> Version:
    """A live document with its text beside its vectors."""
    version = library.publish(title, texts)
    text = "".join(f"{part}\n" for part in texts)
    library.files.put_reading(version, Reading(text=text, pages=(), blocks=()))
    return version


def taken(library: Library, tmp_path: Path) -> bytes:
    with open_backup(catalogue=library.catalogue, files=library.files, data_dir=tmp_path / "var") as pieces:
        return b"".join(pieces)


def restored(archive: bytes, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    restore(io.BytesIO(archive), folder)
    return folder


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


# The whole way, with real documents and the embedded model ------------------------------------------------------------


def _told(services: Services) -> list[Any]:
    """All that a client can see of the documents: hits with their scores, answers with their citations."""
    told: list[Any] = []
    for question in QUESTIONS:
        hits = services.searcher.search(question).hits
        told.append([(hit.passage.id, hit.document, hit.version, round(hit.score, 4)) for hit in hits])
        *_, answer = services.answerer.ask(question)
        assert isinstance(answer, Answer)
        told.append((answer.status, answer.statements, answer.citations))
    return told


def test_after_a_restore_everything_is_found_and_cited_as_before(
    tmp_path: Path, embedder: OpenVinoEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xuesi.wiring, "open_model", lambda *_, **__: embedder)
    settings = Settings(data_dir=tmp_path / "var")
    with open_services(settings) as services:
        for name in ("reading-class-handbook.docx", "research-report-writing.pdf", "field-visit-notes.md"):
            with (SAMPLES / name).open("rb") as source:
                assert isinstance(services.intake.take(source, file_name=name, metadata=Metadata.parse({})), Accepted)
        drain(catalogue=services.catalogue, files=services.files, embedder=embedder, settings=settings)
        deadline = time.monotonic() + 300
        while services.catalogue.counts()["live_versions"] < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        before = _told(services)
        assert any(answer[0] == "answered" for answer in before[1::2])
        with TestClient(create_app(services), base_url=BASE) as client:
            answer = client.post("/api/v1/backup")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-tar")
    file = tmp_path / "library.tar"
    file.write_bytes(answer.content)
    other = Settings(data_dir=tmp_path / "new" / "var")
    with file.open("rb") as source:
        done = restore_offline(other, source)
    assert done.problems == ()
    assert done.indexed
    assert (done.counts["documents"], done.indexed.versions) == (3, 3)
    with open_services(other) as services:
        assert _told(services) == before
        assert services.doctor() == []
        for row in services.catalogue.rows(limit=10)[0]:
            original = services.files.original(row.newest.sha256).read_bytes()
            assert hashlib.sha256(original).hexdigest() == row.newest.sha256
    for place in (tmp_path / "var", other.data_dir):
        assert not [path for path in place.iterdir() if path.name.startswith(("backing-up", "restoring"))]


# What is in it --------------------------------------------------------------------------------------------------------


def test_it_is_a_plain_archive_with_sums_of_everything_in_it(library: Library, tmp_path: Path) -> None:
    published(library, "手册", ["读书班每期五天。"])
    (tmp_path / "var" / "secrets").mkdir()
    (tmp_path / "var" / "secrets" / "job").write_text("password")
    archive = taken(library, tmp_path)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.2 does not have it
        tar.extractall(tmp_path / "out", **safely)  # type: ignore[arg-type]
    folder = tmp_path / "out" / ROOT
    sums = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert [f"{ROOT}/{name}" for _, name in sums] == names(archive)[:-1]
    for digest, name in sums:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["format"], manifest["program"]) == (1, xuesi.__version__)
    assert manifest["counts"]["documents"] == manifest["counts"]["live_versions"] == 1
    assert b"password" not in archive
    assert {name.split("/")[1] for name in names(archive)} == {"files", "catalogue.db", "manifest.json", "SHA256SUMS"}


def test_versions_with_the_same_bytes_share_one_original(library: Library, tmp_path: Path) -> None:
    first = published(library, "手册", ["读书班每期五天。"])
    library.catalogue.delete_document(first.document_id, at=datetime.now(UTC))  # in the trash, its bytes come again
    with open_workshop(tmp_path / "var") as workshop:
        again = workshop.accepted(library.files.original(first.sha256).read_bytes(), "a.txt")
    assert again.version.sha256 == first.sha256
    archive = taken(library, tmp_path)
    assert names(archive).count(f"{ROOT}/files/{first.sha256}/original") == 1
    with open_library(restored(archive, tmp_path / "new")) as other:
        assert [document.id for document, _ in other.catalogue.deleted()] == [first.document_id]
        assert other.files.vectors(first, "words-64").shape[0] == 1
        assert other.catalogue.document(again.document.id).id == again.document.id


def test_what_waits_goes_on_after_the_restore(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "var") as workshop:
        waiting = workshop.accepted()
        with open_backup(catalogue=workshop.catalogue, files=workshop.files, data_dir=tmp_path / "var") as pieces:
            archive = b"".join(pieces)
    new = tmp_path / "new"
    new.mkdir()
    assert restore(io.BytesIO(archive), new).counts["unfinished_jobs"] == 1
    with open_workshop(new) as other:
        assert other.files.original(waiting.version.sha256).read_text() == STUDY_TEXT
        assert other.work() == 1
        assert other.job(waiting).stage == "publishing"
        assert other.version(waiting).state is VersionState.PUBLISHING


def test_documents_added_removed_and_purged_meanwhile_leave_it_consistent(library: Library, tmp_path: Path) -> None:
    versions = [published(library, f"文件{i}", [f"第{i}份文件的内容。"]) for i in range(6)]
    order = sorted(versions, key=lambda version: version.sha256)  # as they are written
    with open_backup(catalogue=library.catalogue, files=library.files, data_dir=tmp_path / "var") as pieces:
        first = [next(pieces) for _ in range(3)]
        added = published(library, "后来的", ["快照之后才来。"])
        for gone in (order[0], order[-1]):
            library.catalogue.delete_document(gone.document_id, at=datetime.now(UTC))
        assert library.publisher.step() == 2
        removed = order[-2]
        library.catalogue.delete_document(removed.document_id, at=datetime.now(UTC))
        archive = b"".join([*first, *pieces])
    assert "快照之后才来".encode() not in archive
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile(f"{ROOT}/catalogue.db")
        assert member is not None
        assert order[-1].id.encode() not in member.read()  # not in a free page either
    with open_library(restored(archive, tmp_path / "new")) as other:
        present = {row.document.id for row in other.catalogue.rows(limit=20)[0]}
        assert present == {version.document_id for version in versions} - {order[-1].document_id}
        assert added.document_id not in present
        for version in order[:-1]:
            assert other.files.original(version.sha256).is_file()
            assert len(other.files.vectors(version, "words-64")) == 1
        assert other.found("第份文件的内容", limit=20) != []
        with pytest.raises(DocumentNotFound):
            other.catalogue.document(order[-1].document_id)


def test_of_a_document_purged_half_way_no_file_is_restored(library: Library, tmp_path: Path) -> None:
    kept = published(library, "留下", ["留下的内容。"])
    first = published(library, "文件", ["第一版的内容。"])
    second = library.publish("文件", ["第二版的内容。"], document_id=first.document_id)
    early = min((first, second), key=lambda version: version.sha256)  # written first
    with open_backup(catalogue=library.catalogue, files=library.files, data_dir=tmp_path / "var") as pieces:
        written = b""
        while f"{early.sha256}/original".encode() not in written:
            written += next(pieces)
        library.catalogue.delete_document(early.document_id, at=datetime.now(UTC))
        assert library.publisher.step() == 1
        archive = written + b"".join(pieces)
    new = restored(archive, tmp_path / "new")
    assert {path.name for path in (new / "files").iterdir()} == {kept.sha256}


def test_vectors_replaced_meanwhile_are_whole(library: Library, tmp_path: Path) -> None:
    versions = [published(library, f"文件{i}", [f"第{i}份文件的内容。"]) for i in range(5)]
    over = threading.Event()

    def embed_again() -> None:
        while not over.is_set():
            for version in versions:
                library.embed(version)

    thread = threading.Thread(target=embed_again)
    thread.start()
    try:
        archives = [taken(library, tmp_path) for _ in range(3)]
    finally:
        over.set()
        thread.join()
    for number, archive in enumerate(archives):
        (tmp_path / str(number)).mkdir()
        done = restore(io.BytesIO(archive), tmp_path / str(number))
        assert done.problems == ()
        assert done.indexed
        assert done.indexed.versions == 5


def test_an_upload_while_it_is_taken_over_http_is_taken_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fakes import HashEmbedder

    monkeypatch.setattr(xuesi.wiring, "open_model", lambda *_, **__: HashEmbedder())
    with open_services(Settings(data_dir=tmp_path / "var")) as services:
        for number in range(20):
            source = io.BytesIO(f"{number}".encode() * 1_000_000)
            services.intake.take(source, file_name="a.txt", metadata=Metadata.parse({}))
        with served(create_app(services)) as url, httpx.Client(base_url=url, timeout=120) as client:
            with client.stream("POST", "/api/v1/backup") as answer:
                pieces = answer.iter_raw(65536)
                archive = [next(pieces)]
                file = ("b.txt", "上传不等备份。".encode())
                assert client.post("/api/v1/documents", files={"file": file}).status_code == 202
                archive += pieces
            with client.stream("POST", "/api/v1/backup") as answer:  # and a client that goes away leaves nothing
                next(answer.iter_raw(65536))
                assert list((tmp_path / "var").glob("backing-up-*"))
            deadline = time.monotonic() + 60
            while list((tmp_path / "var").glob("backing-up-*")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    (tmp_path / "new").mkdir()
    assert restore(io.BytesIO(b"".join(archive)), tmp_path / "new").counts["documents"] == 20


def test_a_damaged_library_is_backed_up_as_far_as_it_is_there(library: Library, tmp_path: Path) -> None:
    lost, rotten = published(library, "丢失", ["原件丢失。"]), published(library, "损坏", ["原件损坏。"])
    library.files.original(lost.sha256).unlink()
    library.files.original(rotten.sha256).write_bytes(b"rotten")
    archive = taken(library, tmp_path)
    (tmp_path / "new").mkdir()
    done = restore(io.BytesIO(archive), tmp_path / "new")
    assert done.counts["documents"] == 2
    assert len(done.problems) == 2
    assert rotten.sha256 in done.problems[0]
    assert lost.sha256 in done.problems[1]


def test_versions_of_another_model_keep_the_indexes_unmade_and_the_documents_whole(
    library: Library, tmp_path: Path
) -> None:
    version = published(library, "手册", ["读书班每期五天。"])
    library.embed(version, fingerprint="another-model")
    (tmp_path / "new").mkdir()
    done = restore(io.BytesIO(taken(library, tmp_path)), tmp_path / "new")
    assert done.indexed is None
    assert "xuesi reindex --model" in done.problems[0]
    with open_library(tmp_path / "new") as other:
        assert other.catalogue.document(version.document_id).title == "手册"


def test_a_database_of_its_own_is_not_copied(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.catalogue._store.engine.dialect, "name", "postgresql")
    with pytest.raises(WrongState, match="pg_dump"):
        taken(library, tmp_path)
    assert not list((tmp_path / "var").glob("backing-up-*"))
    elsewhere = Settings(data_dir=tmp_path / "new", database_url="postgresql://host/name")
    with pytest.raises(WrongState, match="XUESI_DATABASE_URL"):
        restore_offline(elsewhere, io.BytesIO())


def test_there_must_be_a_library(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="XUESI_DATA_DIR"), backup_offline(Settings(data_dir=tmp_path / "typo")):
        pass
    assert not (tmp_path / "typo").exists()


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("library")
    with opened_library(folder / "var") as library:
        published(library, "手册", ["读书班每期五天。"])
        return taken(library, folder)


def refused(archive: bytes, folder: Path, match: str | None = None) -> None:
    with pytest.raises(UnusableBackup, match=match):
        restore(io.BytesIO(archive), folder)
    assert list(folder.iterdir()) == []


def test_a_damaged_byte_anywhere_is_noticed(archive: bytes, tmp_path: Path) -> None:
    """In every header and content; what a flip leaves as it was (filling between members) may be restored."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = tar.getmembers()
    for number, member in enumerate(members):
        header = member.offset_data - 512
        for place in (header + 3, header + 130, header + 150, member.offset_data, member.offset_data + member.size - 1):
            damaged = bytearray(archive)
            damaged[place] ^= 0x01
            folder = tmp_path / f"{number}-{place}"
            folder.mkdir(exist_ok=True)
            refused(bytes(damaged), folder)
    flipped = bytearray(archive)
    flipped[members[0].offset_data] ^= 0x80
    refused(bytes(flipped), folder, match=members[0].name.removeprefix(f"{ROOT}/"))


def test_a_file_that_was_cut_off_is_refused_wherever_it_was_cut(archive: bytes, tmp_path: Path) -> None:
    whole = len(archive.rstrip(b"\0"))
    for length in (0, 1, 511, 512, 1500, *range(2000, whole, whole // 40), whole - 1):
        refused(archive[:length], tmp_path, match="no backup|ends before its end|damaged")


def altered(archive: bytes, **changes: Any) -> bytes:
    """The archive with one more member in front of its list of sums, or with another name for its folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for info in old:
            if info.name.endswith(changes.get("before", "/SHA256SUMS")) and "name" in changes:
                strange = tarfile.TarInfo(changes["name"])
                strange.type, strange.linkname = changes.get("type", tarfile.REGTYPE), changes.get("linkname", "")
                strange.size = 4 if strange.isreg() else 0
                new.addfile(strange, io.BytesIO(b"evil"))
            content = old.extractfile(info)
            info.name = info.name.replace(ROOT, changes.get("root", ROOT))
            new.addfile(info, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "member",
    [
        {"name": "../evil"},
        {"name": f"{ROOT}/../evil"},
        {"name": f"{ROOT}/files/../../../evil"},
        {"name": f"{ROOT}/files/{'a' * 64}/../../evil"},
        {"name": "/evil"},
        {"name": f"{ROOT}/owner.lock"},
        {"name": f"{ROOT}/files/{'a' * 64}/evil", "type": tarfile.SYMTYPE, "linkname": "/etc"},
        {"name": f"{ROOT}/files/{'a' * 64}/evil", "type": tarfile.LNKTYPE, "linkname": "catalogue.db"},
        {"name": f"{ROOT}/files/{'a' * 64}/evil", "type": tarfile.FIFOTYPE},
        {"name": f"{ROOT}/files/{'a' * 64}/not-listed"},
        {"name": f"{ROOT}/catalogue.db"},
    ],
    ids=str,
)
def test_nothing_leads_out_of_the_folder_and_nothing_is_added(
    archive: bytes, tmp_path: Path, member: dict[str, Any]
) -> None:
    folder = tmp_path / "deep" / "var"
    folder.mkdir(parents=True)
    refused(altered(archive, **member), folder)
    assert list(tmp_path.rglob("evil")) == []


def test_a_foreign_or_newer_file_is_named_as_such(archive: bytes, tmp_path: Path) -> None:
    foreign = io.BytesIO()
    with tarfile.open(fileobj=foreign, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("photos/1.jpg"))
    for content in (foreign.getvalue(), b"", b"PK\3\4" * 500, STUDY_TEXT.encode()):
        refused(content, tmp_path, match="no backup of Xuesi")
    refused(altered(archive, root="xuesi-backup-2"), tmp_path, match=r"form 2.*newer")


def test_the_backup_of_a_newer_program_is_refused(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.catalogue.migrate.revisions", lambda: ["0001"])  # this program is an older one now
    with pytest.raises(NewerCatalogue, match="newer version"):
        restore(io.BytesIO(archive), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays_as_it_is(archive: bytes, tmp_path: Path) -> None:
    for name in ("catalogue.db", "files", "notes.txt"):
        folder = tmp_path / f"with {name}"
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(WrongState, match=rf"not empty \({name}\).*XUESI_DATA_DIR"):
            restore(io.BytesIO(archive), folder)
        assert [path.name for path in folder.iterdir()] == [name]
        assert (folder / name).read_text() == "mine"


def test_a_prepared_model_may_lie_there(archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m").write_text("prepared")
    restore(io.BytesIO(archive), tmp_path)
    assert (tmp_path / "models" / "m").read_text() == "prepared"
    assert (tmp_path / "catalogue.db").is_file()


def test_what_fails_at_the_last_step_leaves_nothing(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if self.name == "catalogue.db":
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="Input/output"):
        restore(io.BytesIO(archive), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_restore_is_no_library_and_can_be_done_again(archive: bytes, tmp_path: Path) -> None:
    done = restored(archive, tmp_path / "done")
    half = tmp_path / "half"  # as a loss of power between two renames leaves it
    (half / "restoring").mkdir(parents=True)
    (done / "catalogue.db").rename(half / "restoring" / "catalogue.db")
    for name in ("files", "vectors"):
        (done / name).rename(half / name)
    with pytest.raises(Misconfigured, match="xuesi restore"), open_services(Settings(data_dir=half)):
        pass
    with open_library(restored(archive, half)) as library:
        assert library.found("读书班") == ["读书班每期五天。"]
        (job,) = library.catalogue.jobs(limit=5)[0]
        assert job.state is JobState.DONE


def test_what_an_interrupted_backup_left_is_cleared(tmp_path: Path) -> None:
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}"):
        pass
    (tmp_path / "backing-up-x").mkdir()
    with backup_offline(Settings(data_dir=tmp_path)) as pieces:
        assert b"".join(pieces)
    assert not list(tmp_path.glob("backing-up-*"))


def test_a_backup_that_breaks_off_leaves_the_last_one(tmp_path: Path) -> None:
    from xuesi.cli.backup import _write
    from xuesi.core.errors import StoreUnavailable

    def breaks_off() -> Iterator[bytes]:
        yield b"half of it"
        raise StoreUnavailable("The server went away.")

    file = tmp_path / "nightly.tar"
    file.write_bytes(b"yesterday's")
    with pytest.raises(StoreUnavailable):
        _write(breaks_off(), file)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"yesterday's"]
    assert _write(iter([b"to", b"day's"]), file) == 7
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"today's"]
