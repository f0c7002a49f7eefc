"""Does the doctor name every kind of damage and mend it? Each is done to a real data folder; mended, nothing is wrong and everything is found."""

import hashlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError

from api.app import create_app
from index.catalogue.catalogue import open_catalogue
from index.doctor.books import examine_catalogue
from index.doctor.examine import Repaired
from index.doctor.stored import examine_files
from tests.api_library import BASE, opened, work
from xuesi.core.domain import Job, JobId, JobKind, JobState, PassageId, Version, VersionState
from xuesi.core.ids import new_id
from xuesi.core.ports import LexicalEntry
from xuesi.services import Services

API = "/api/v1"
OLD = time.time() - 3 * 3600
TEXTS = {f"第{n}讲": f"# 第{n}讲\n\n第{n}讲的读书班每期{n + 3}天。\n\n{n}次走访之后写成报告。" for n in range(1, 15)}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("doctor") / "var") as services:
        with TestClient(create_app(services), base_url=BASE) as client:
            for name, text in TEXTS.items():
                client.post(f"{API}/documents", files={"file": (f"{name}.md", text.encode())})
        work(services)
        assert services.doctor(deep=True) == []
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


def version_of(services: Services, title: str = "第1讲") -> Version:
    (row,) = (row for row in services.catalogue.rows(limit=100)[0] if row.document.title == title)
    assert row.live
    return row.live


def made(services: Services, version: Version) -> Path:
    return services.settings.data_dir / "files" / version.sha256 / version.id


def vectors(services: Services, version: Version) -> Path:
    (folder,) = made(services, version).glob("vectors-*")
    return folder


def sql(services: Services, statement: str, *values: object) -> None:
    """Change the catalogue behind the program's back."""
    with closing(sqlite3.connect(services.settings.data_dir / "catalogue.db", timeout=30)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement, values)


def aged(place: Path) -> Path:
    os.utime(place, (OLD, OLD))
    return place


# Each of these does damage to the files of a version, or to its passages --------------------------------------------


def cut_text(services: Services, version: Version) -> None:
    place = made(services, version) / "text.txt"
    place.write_bytes(place.read_bytes()[:20])


def lose_text(services: Services, version: Version) -> None:
    (made(services, version) / "text.txt").unlink()


def lose_outline(services: Services, version: Version) -> None:
    (made(services, version) / "outline.json").unlink()


def garble_text(services: Services, version: Version) -> None:
    place = made(services, version) / "text.txt"
    place.write_text(place.read_text(encoding="utf-8").replace("报告", "小说"), encoding="utf-8")


def alter_passage(services: Services, version: Version) -> None:
    sql(services, "UPDATE passage SET text = replace(text, '报告', '小说') WHERE version_id = ?", version.id)


def spoil_boxes(services: Services, version: Version) -> None:
    np.save(made(services, version) / "boxes.npy", np.zeros((3, 4), np.float32))


def lose_vectors(services: Services, version: Version) -> None:
    shutil.rmtree(vectors(services, version))


def cut_vectors(services: Services, version: Version) -> None:
    place = vectors(services, version) / "passages.npy"
    place.write_bytes(place.read_bytes()[:-8])


def misshape_vectors(services: Services, version: Version) -> None:
    np.save(vectors(services, version) / "passages.npy", np.zeros((1, 3), np.float32))


def misshape_sentences(services: Services, version: Version) -> None:
    np.save(vectors(services, version) / "sentence_passages.npy", np.zeros(99, np.int32))


def unname_vectors(services: Services, version: Version) -> None:
    (made(services, version) / "vectors.json").write_text("{")


def misshape_tokens(services: Services, version: Version) -> None:
    np.save(vectors(services, version) / "token_starts.npy", np.zeros(2, np.int32))


FILE_DAMAGES: list[tuple[Callable[[Services, Version], None], str]] = [
    (cut_text, "text-damaged"),
    (lose_text, "text-damaged"),
    (lose_outline, "text-damaged"),
    (garble_text, "passages-differ"),
    (alter_passage, "passages-differ"),
    (spoil_boxes, "boxes-damaged"),
    (lose_vectors, "vectors-damaged"),
    (cut_vectors, "vectors-damaged"),
    (misshape_vectors, "vectors-damaged"),
    (misshape_sentences, "vectors-damaged"),
    (misshape_tokens, "vectors-damaged"),
    (unname_vectors, "vectors-damaged"),
]


def test_damaged_files_are_named_and_made_again_from_the_original(services: Services) -> None:
    expected: dict[str, set[str]] = {}
    for (damage, code), title in zip(FILE_DAMAGES, TEXTS, strict=False):
        damage(services, version_of(services, title))
        expected.setdefault(code, set()).add(title)
    found = services.doctor()
    assert {it.code: {re.search("“(.+)”", item)[1] for item in it.items} for it in found} == expected  # type: ignore[index]
    left = services.repair()
    assert left.left == ()  # what has a job is looked at when it is done
    assert {it.code for it in left.mended} == set(expected)
    work(services)
    assert services.doctor(deep=True) == []
    _all_are_found(services)


def _all_are_found(services: Services) -> None:
    for title, text in TEXTS.items():
        version = version_of(services, title)
        words = text.split("\n\n")[1]
        hits = services.searcher.search(words, limit=50).hits
        (mine,) = (hit.passage for hit in hits if hit.passage.version_id == version.id)
        assert mine.span.of(services.files.text(version)) == mine.text
        assert words in mine.text


# Each of these does damage to the rest ------------------------------------------------------------------------------


def take_from_vector_index(services: Services) -> None:
    services.indexes.vectors.remove([p.id for p in services.catalogue.passages(version_of(services).id)][:1])


def take_from_lexical_index(services: Services) -> None:
    services.indexes.lexical.remove([version_of(services).id])


def add_to_vector_index(services: Services) -> None:
    vector = np.full((1, services.embedder.dimension), services.embedder.dimension**-0.5, np.float32)
    services.indexes.vectors.add([PassageId("nobody's")], vector)


def add_to_lexical_index(services: Services) -> None:
    entry = LexicalEntry(PassageId("nobody's"), version_of(services).id, "无主", (), "无主的文字")
    services.indexes.lexical.add([entry])


def change_indexed_vector(services: Services) -> None:
    (first, *_) = services.catalogue.passages(version_of(services).id)
    vector = np.full((1, services.embedder.dimension), services.embedder.dimension**-0.5, np.float32)
    services.indexes.vectors.add([first.id], vector)


def lose_indexed_tokens(services: Services) -> None:
    (first, *_) = services.catalogue.passages(version_of(services).id)
    with closing(sqlite3.connect(services.indexes.folders[0] / "tokens.db")) as tokens, tokens:
        tokens.execute("DELETE FROM passage WHERE id = ?", (first.id,))


def lose_index(services: Services) -> None:
    shutil.rmtree(services.indexes.folders[1])


def cut_off_upload(services: Services) -> None:
    place = services.settings.data_dir / "files" / f"incoming-{new_id()}"
    place.write_bytes(b"half a file")
    aged(place)


def leave_orphans(services: Services) -> None:
    files = services.settings.data_dir / "files"
    foreign = files / hashlib.sha256(b"nobody").hexdigest()
    foreign.mkdir()
    (foreign / "original").write_bytes(b"nobody")
    (files / version_of(services).sha256 / new_id()).mkdir()


def leave_vectors_and_halves(services: Services) -> None:
    folder = made(services, version_of(services))
    (folder / f"vectors-{new_id()}").mkdir()
    (folder / ".text.txt-half").write_text("half")
    for place in (*folder.glob("vectors-*"), *folder.glob(".*")):
        aged(place)


def leave_index_folders(services: Services) -> None:
    for name in ("vectors", "lexical"):
        (services.settings.data_dir / name / "77").mkdir()


def kill_reading(services: Services) -> None:
    place = services.settings.data_dir / "reading" / "killed"
    place.mkdir(parents=True)
    (place / "text.json").write_text("{}")
    aged(place)


def leave_password(services: Services) -> None:
    folder = services.settings.data_dir / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / new_id()).write_text("secret")
    for place in folder.iterdir():
        aged(place)


def break_index_of_catalogue(services: Services) -> None:
    """An index of the database that lacks a row: it is taken out of the schema, a row written, and put in again."""
    place = services.settings.data_dir / "catalogue.db"
    with closing(sqlite3.connect(place, timeout=30, isolation_level=None)) as connection:
        index = connection.execute("SELECT * FROM sqlite_schema WHERE name = 'ix_job_state'").fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'ix_job_state'")
        connection.execute("PRAGMA schema_version = 1000")
    with closing(sqlite3.connect(place, timeout=30, isolation_level=None)) as connection:
        connection.execute("UPDATE job SET state = 'cancelled' WHERE id = (SELECT min(id) FROM job)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index)
        connection.execute("PRAGMA schema_version = 1001")


def leave_rows(services: Services) -> None:
    """Of a version that was purged: what was found of it, and what it superseded."""
    sql(services, "INSERT INTO suggestion VALUES ('gone', 'issuer', '某局', 'title', '某局', 0)")
    sql(services, "INSERT INTO near_duplicate VALUES ('gone', 'gone too', 0.9, '', '2026-01-01T00:00:00.000000+00:00')")
    sql(services, "UPDATE document SET superseded_by = 'gone' WHERE title = '第1讲'")


def make_circle(services: Services) -> None:
    one, other = version_of(services).document_id, version_of(services, "第2讲").document_id
    sql(services, "UPDATE document SET superseded_by = ?, published_on = '2020-01-01' WHERE id = ?", other, one)
    sql(services, "UPDATE document SET superseded_by = ?, published_on = '2021-01-01' WHERE id = ?", one, other)


DAMAGES: list[tuple[Callable[[Services], None], set[str]]] = [
    (take_from_vector_index, {"missing-in-index"}),
    (take_from_lexical_index, {"missing-in-index"}),
    (add_to_vector_index, {"unknown-in-index"}),
    (add_to_lexical_index, {"unknown-in-index"}),
    (change_indexed_vector, {"vector-differs"}),
    (lose_indexed_tokens, {"vector-differs"}),
    (lose_index, {"index-missing"}),
    (cut_off_upload, {"stray-files"}),
    (leave_orphans, {"stray-files"}),
    (leave_vectors_and_halves, {"stray-files"}),
    (leave_index_folders, {"stray-index"}),
    (kill_reading, {"stray-reading"}),
    (leave_password, {"stray-password"}),
    (break_index_of_catalogue, {"catalogue-index"}),
    (leave_rows, {"lost-rows"}),
    (make_circle, {"superseded-in-a-circle"}),
]


@pytest.mark.parametrize(("damage", "codes"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_damage_is_named_and_mended(services: Services, damage: Callable[[Services], None], codes: set[str]) -> None:
    damage(services)
    found = services.doctor(deep=True)
    assert {finding.code for finding in found} == codes
    assert all(finding.repairable and finding.items for finding in found)
    done = services.repair(deep=True)
    assert ({finding.code for finding in done.mended}, done.left) == (codes, ())
    for title in TEXTS:
        services.catalogue.update_document(version_of(services, title).document_id, {"superseded_by": None})
    _all_are_found(services)


def test_what_may_still_be_written_is_left_alone(services: Services) -> None:
    files = services.settings.data_dir / "files"
    folder = made(services, version_of(services))
    young = [files / f"incoming-{new_id()}", folder / ".text.txt-now", folder / f"vectors-{new_id()}" / "passages.npy"]
    young[2].parent.mkdir()
    for place in young:
        place.write_bytes(b"...")
    assert services.repair() == Repaired((), ())
    assert all(place.exists() for place in young)
    for place in young:
        place.unlink()
    young[2].parent.rmdir()


# Originals: only a person has them ----------------------------------------------------------------------------------


def test_a_lost_or_changed_original_is_named_and_the_same_file_puts_it_back(
    services: Services, client: TestClient
) -> None:
    lost, cut, changed = (version_of(services, f"第{n}讲") for n in (1, 2, 3))
    services.files.original(lost.sha256).unlink()
    place = services.files.original(cut.sha256)
    place.write_bytes(place.read_bytes()[:-1])
    place = services.files.original(changed.sha256)
    place.write_bytes(place.read_bytes().replace("报告".encode(), "小说".encode()))
    (made(services, changed) / "text.txt").unlink()
    assert {it.code: len(it.items) for it in services.doctor()} == {"original-missing": 1, "original-damaged": 1, "text-damaged": 1}  # fmt: skip
    found = services.doctor(deep=True)
    assert {it.code: len(it.items) for it in found} == {"original-missing": 1, "original-damaged": 2, "text-damaged": 1}
    assert not any(it.repairable for it in found)  # not even the text, which would be read from the wrong bytes
    services.repair(deep=True)
    assert services.doctor(deep=True) == found
    for title, version in (("第1讲", lost), ("第2讲", cut), ("第3讲", changed)):
        files = {"file": (f"{title}.md", TEXTS[title].encode())}
        answer = client.post(f"{API}/documents/{version.document_id}/versions", files=files)
        assert answer.json()["documents"][0]["duplicate"]
    services.repair(deep=True)
    work(services)
    assert services.doctor(deep=True) == []
    _all_are_found(services)


def test_what_reads_otherwise_now_is_not_put_in_the_place_of_what_is_cited(services: Services) -> None:
    version = version_of(services, "第4讲")
    place = services.files.original(version.sha256)
    before = place.read_bytes()
    place.write_bytes(before.replace("走访".encode(), "调研".encode()))  # as many bytes, so only --deep sees it
    text = services.files.text(version)
    garble_text(services, version)
    services.repair()
    work(services)
    codes = {it.code: it for it in services.doctor()}
    assert set(codes) == {"passages-differ", "job-failed"}
    assert "another text than the one that is cited" in codes["job-failed"].items[0]
    place.write_bytes(before)
    services.repair()
    work(services)
    assert services.files.text(version) == text
    sql(services, "DELETE FROM job WHERE state = 'failed'")
    assert services.doctor(deep=True) == []


# The catalogue ------------------------------------------------------------------------------------------------------


def test_of_two_live_versions_the_older_is_retired(services: Services) -> None:
    version = version_of(services, "第5讲")
    sql(services, "DROP INDEX uq_version_live")
    copied = (
        "file_name, media_type, bytes, state, added_at, pages, chars, quality, added_by, live_from, sha256, document_id"
    )
    sql(services, f"INSERT INTO version (id, number, passages, {copied}) SELECT 'twin', 2, 0, {copied} FROM version WHERE id = ?", version.id)  # fmt: skip
    assert "two-live" in {it.code for it in services.doctor()}
    services.repair()
    states = {it.number: it.state for it in services.catalogue.versions(version.document_id)}
    assert states == {1: VersionState.RETIRED, 2: VersionState.LIVE}
    with pytest.raises(IntegrityError):
        services.catalogue.set_version_state(version.id, VersionState.LIVE)  # the index is there again
    sql(services, "DELETE FROM version WHERE id = 'twin'")
    sql(services, "DELETE FROM job WHERE version_id = 'twin'")
    sql(services, "UPDATE version SET state = 'live', retired_at = NULL WHERE id = ?", version.id)
    assert services.doctor(deep=True) == []


def test_a_catalogue_with_broken_pages_is_said_to_be_damaged_and_not_touched(
    services: Services, tmp_path: Path
) -> None:
    copy = tmp_path / "catalogue.db"
    services.catalogue.snapshot(copy)
    size = copy.stat().st_size
    with copy.open("r+b") as file:
        for page in range(4, size // 4096 - 1, 5):
            file.seek(page * 4096)
            file.write(os.urandom(2048))
    with open_catalogue(f"sqlite:///{copy}") as catalogue:
        (finding,) = examine_catalogue(catalogue)
        assert (finding.code, finding.severity, finding.repairable) == ("catalogue-damaged", "error", False)
        assert "restore" in finding.hint


# Jobs and purges ----------------------------------------------------------------------------------------------------


def test_jobs_that_get_nowhere_are_named_and_set_going(services: Services) -> None:
    version = version_of(services, "第6讲")
    now, early = datetime.now(UTC), datetime.now(UTC) - timedelta(hours=3)
    waits, left, stuck, late = (
        Job(JobId(new_id()), JobKind.EMBED, version.document_id, version.id, JobState.QUEUED, early, early)
        for _ in range(4)
    )
    for job in (waits, left, stuck, late):
        services.catalogue.add_job(job)
    for job, lease in ((left, early), (stuck, now + timedelta(hours=1)), (late, now)):
        assert services.catalogue.claim_job(job.id, now=early, lease_until=lease)
    for job, lease in ((left, early), (stuck, now + timedelta(hours=1))):
        services.catalogue.progress(job.id, stage="reading", done=0, total=0, now=early, lease_until=lease)
    sql(services, "UPDATE job SET stage = 'publishing', state = 'running', updated_at = '2026-01-01T00:00:00.000000+00:00' WHERE id = ?", late.id)  # fmt: skip
    found = {it.code: it.items for it in services.doctor()}
    assert left.id in found["job-left"][0]
    assert stuck.id in found["job-stuck"][0]
    services.repair()
    assert services.catalogue.job(late.id).state is JobState.DONE
    again = services.catalogue.job(stuck.id)
    assert (again.state, again.deaths) == (JobState.QUEUED, 1)
    services.catalogue.finish_job(left.id, state=JobState.CANCELLED, now=now)
    assert {it.code: it.items for it in services.doctor()}["no-worker"][0].startswith(f"job {waits.id}")
    work(services)
    assert services.doctor(deep=True) == []


def test_a_version_whose_job_is_lost_gets_another(services: Services) -> None:
    version = version_of(services, "第7讲")
    sql(services, "UPDATE version SET state = 'reading', live_from = NULL WHERE id = ?", version.id)
    found = {it.code for it in services.doctor()}
    assert "no-job" in found
    services.repair()
    work(services)
    services.repair()
    assert services.doctor(deep=True) == []
    _all_are_found(services)


def test_failed_jobs_are_named_but_not_those_of_a_text_that_is_there(services: Services, client: TestClient) -> None:
    client.post(f"{API}/documents", files={"file": ("空.md", b"\n\n \n")})
    client.post(f"{API}/documents", files={"file": ("同.md", (TEXTS["第8讲"] + "\n\n").encode())})
    work(services)
    (finding,) = services.doctor()
    assert (finding.code, finding.severity, len(finding.items), finding.repairable) == ("job-failed", "warning", 1, False)  # fmt: skip
    for row in services.catalogue.rows(limit=100)[0]:
        if row.live is None:
            services.remove(row.document.id, now=True)
    assert services.doctor() == []


def test_a_purge_that_nobody_did_is_done(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    row = services.catalogue.row(version_of(services, "第14讲").document_id)
    late = datetime.now(UTC) - timedelta(days=1)
    with monkeypatch.context() as patch:
        patch.setattr(services.publisher, "_clean", lambda: 0)  # as if the publisher were stuck
        services.catalogue.delete_document(row.document.id, at=late, purge_after=late)
        (finding,) = (it for it in services.doctor() if it.code == "purge-overdue")
        assert row.document.id in finding.items[0]
    services.repair()
    assert services.catalogue.deleted() == []
    assert services.doctor(deep=True) == []
    del TEXTS["第14讲"]


def test_what_the_publisher_is_about_to_take_out_is_nothing_wrong(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, at = version_of(services, "第10讲"), datetime.now(UTC)
    with monkeypatch.context() as patch:
        patch.setattr(services.publisher, "_clean", lambda: 0)  # as if the publisher had not come to it yet
        services.catalogue.delete_document(version.document_id, at=at, purge_after=at + timedelta(days=7))
        assert services.doctor(deep=True) == []
    services.publisher.step()
    services.catalogue.restore_document(version.document_id, at=at)
    work(services)
    assert services.doctor(deep=True) == []


def test_a_document_that_is_removed_during_the_look_is_nothing_wrong(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# 第99讲\n\n这一讲马上就要删除。"
    with TestClient(create_app(services), base_url=BASE) as client:
        client.post(f"{API}/documents", files={"file": ("第99讲.md", text.encode())})
    work(services)
    version, embedded = version_of(services, "第99讲"), services.files.text

    def removed_now(asked: Version) -> str:
        if asked.id == version.id and services.catalogue.has_original(version.sha256):
            services.remove(version.document_id, now=True)
            services.publisher.step()
        return embedded(asked)

    with monkeypatch.context() as patch:
        patch.setattr(services.files, "text", removed_now)
        found = services.doctor()
    assert not services.catalogue.has_original(version.sha256)
    assert found == []


def test_another_model_that_takes_over_during_the_look_damages_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = services._parts
    monkeypatch.setattr(services.indexes, "_current", replace(services.indexes._current, fingerprint="another-96"))
    assert examine_files(parts) == []


def test_a_worker_between_two_jobs_is_there(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    version, long_ago = version_of(services, "第11讲"), datetime.now(UTC) - timedelta(hours=1)
    job = Job(JobId(new_id()), JobKind.EMBED, version.document_id, version.id, JobState.QUEUED, long_ago, long_ago)
    services.catalogue.add_job(job)
    monkeypatch.setattr("index.doctor.work.time", SimpleNamespace(sleep=lambda _: work(services)))
    assert services.doctor() == []


def test_damage_in_the_trash_is_named_and_mended_once_it_is_restored(services: Services) -> None:
    version = version_of(services, "第9讲")
    at = datetime.now(UTC)
    services.catalogue.delete_document(version.document_id, at=at, purge_after=at + timedelta(days=7))
    lose_vectors(services, version)
    finding = {it.code: it for it in services.doctor()}[
        "vectors-damaged"
    ]  # beside it, the publisher may still be cleaning up
    assert not finding.repairable
    assert "in the trash" in finding.items[0]
    services.catalogue.restore_document(version.document_id, at=at)
    work(services)
    services.repair()
    work(services)
    services.repair()
    assert [it for it in services.doctor(deep=True) if it.code != "job-failed"] == []
    sql(services, "DELETE FROM job WHERE state = 'failed'")
    _all_are_found(services)


def test_little_space_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000_000))
    (finding,) = services.doctor()
    assert (finding.code, finding.severity, finding.repairable) == ("little-space", "warning", False)
    assert "500 MB" in finding.detail


def test_over_http_everything_concerned_is_named(services: Services, client: TestClient) -> None:
    leave_index_folders(services)
    (finding,) = client.get(f"{API}/doctor").json()["findings"]
    assert (finding["code"], finding["repairable"], sorted(finding["items"])) == (
        "stray-index",
        True,
        ["lexical/77", "vectors/77"],
    )
    report = client.post(f"{API}/doctor/repair", params={"deep": True}).json()
    assert (report["findings"], [it["code"] for it in report["mended"]]) == ([], ["stray-index"])
