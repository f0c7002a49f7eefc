"""What must a catalogue keep of documents, versions and passages?"""

import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from index.catalogue import SqlCatalogue, open_catalogue, rows, tables
from tests.library import NOW, a_document, a_job, a_version, add, publish, read, replace_file
from xuesi.core.domain import (
    Document,
    DocumentId,
    Job,
    JobState,
    Kind,
    PassageId,
    Span,
    Version,
    VersionId,
    VersionState,
    WatchedFile,
)
from xuesi.core.errors import (
    DocumentNotFound,
    DuplicateDocument,
    InvalidInput,
    PassageNotFound,
    VersionNotFound,
    WrongState,
)
from xuesi.core.ports import Catalogue

LATER = NOW + timedelta(days=1)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}") as opened:
        yield opened


def test_it_is_a_catalogue(catalogue: SqlCatalogue) -> None:
    def counts(port: Catalogue) -> dict[str, int]:
        return port.counts()

    assert counts(catalogue) == {"documents": 0, "live_versions": 0, "live_passages": 0, "failed_versions": 0}


@pytest.mark.parametrize(("table", "record"), [(tables.version, Version), (tables.job, Job)])
def test_columns_stand_in_the_order_of_the_fields(table: object, record: type) -> None:
    assert table.c.keys() == [field.name for field in fields(record)]  # type: ignore[attr-defined]


def test_everything_said_of_a_document_comes_back(catalogue: SqlCatalogue) -> None:
    document = a_document(
        title="“两个维护”：100% 的 <标题> 🙂",
        kind=Kind.REGULATION,
        issuer="某某办公室",
        published_on=date(2023, 4, 3),
        effective_on=date(2023, 5, 1),
        language="zh",
        topics=("调查研究", "主题教育", "a'b;--"),
        visibility="lecturers",
    )
    version = a_version(document, quality={"warnings": ["第 3 页没有文字"]}, added_by="某人", bytes=5_000_000_000)
    job = a_job(version)
    catalogue.add_document(document, version, job)
    assert catalogue.document(document.id) == document
    assert catalogue.version_by_id(version.id) == catalogue.version(document.id, 1) == version
    assert catalogue.job(job.id) == job
    row = catalogue.row(document.id)
    assert (row.document, row.newest, row.live, row.job) == (document, version, None, job)


def test_a_time_in_another_zone_comes_back_as_the_same_moment_in_utc(catalogue: SqlCatalogue) -> None:
    there = datetime(2026, 3, 1, 2, 30, 15, 123456, timezone(timedelta(hours=8)))
    document, _, _ = add(catalogue, created_at=there)
    found = catalogue.document(document.id).created_at
    assert found == there
    assert found.tzinfo == UTC


def test_a_time_without_a_zone_is_refused(catalogue: SqlCatalogue) -> None:
    with pytest.raises(Exception, match="no time zone"):
        add(catalogue, created_at=datetime(2026, 3, 1))  # noqa: DTZ001 the point of the test


def test_the_same_bytes_are_refused_and_the_document_that_has_them_is_named(catalogue: SqlCatalogue) -> None:
    document, version, _ = publish(catalogue)
    other = a_document()
    with pytest.raises(DuplicateDocument) as told:
        catalogue.add_document(other, twin := a_version(other, sha256=version.sha256), a_job(twin))
    assert told.value.facts["document_id"] == document.id
    assert document.title in told.value.detail
    with pytest.raises(DocumentNotFound):
        catalogue.document(other.id)


def test_the_bytes_of_a_deleted_document_may_be_added_again(catalogue: SqlCatalogue) -> None:
    document, version, _ = publish(catalogue)
    catalogue.delete_document(document.id, at=LATER)
    other = a_document()
    catalogue.add_document(other, twin := a_version(other, sha256=version.sha256), a_job(twin))
    assert catalogue.document(other.id) == other


def test_versions_are_numbered_and_a_live_one_is_replaced(catalogue: SqlCatalogue) -> None:
    document, first, _ = publish(catalogue)
    second, _ = replace_file(catalogue, document, at=LATER)
    assert second.number == 2
    newest, oldest = catalogue.versions(document.id)
    assert (newest.number, newest.state, newest.live_from, newest.retired_at) == (2, VersionState.LIVE, LATER, None)
    assert (oldest.number, oldest.state, oldest.live_from, oldest.retired_at) == (1, VersionState.RETIRED, NOW, LATER)
    assert catalogue.row(document.id).live == newest
    assert catalogue.version_by_id(first.id) == oldest


def test_a_version_that_took_long_does_not_replace_a_later_one(catalogue: SqlCatalogue) -> None:
    document, slow, _ = add(catalogue)
    read(catalogue, slow)
    quick, _ = replace_file(catalogue, document, at=NOW)
    catalogue.make_live(slow.id, at=LATER)
    assert [v.state for v in catalogue.versions(document.id)] == [VersionState.LIVE, VersionState.RETIRED]
    assert catalogue.row(document.id).live == catalogue.version_by_id(quick.id)


def test_making_live_twice_changes_nothing(catalogue: SqlCatalogue) -> None:
    _, version, _ = publish(catalogue)
    catalogue.make_live(version.id, at=LATER)
    assert catalogue.version_by_id(version.id).live_from == NOW


@pytest.mark.parametrize("state", [VersionState.FAILED, VersionState.CANCELLED])
def test_what_has_ended_does_not_become_live(catalogue: SqlCatalogue, state: VersionState) -> None:
    _, version, _ = add(catalogue)
    catalogue.set_version_state(version.id, state)
    with pytest.raises(WrongState):
        catalogue.make_live(version.id, at=NOW)
    assert catalogue.version_by_id(version.id).state is state


def test_bytes_of_an_ended_version_may_come_again_as_a_version_of_the_same_document(catalogue: SqlCatalogue) -> None:
    document, first, _ = publish(catalogue)
    with pytest.raises(DuplicateDocument):
        catalogue.add_version(twin := a_version(document, sha256=first.sha256), a_job(twin))
    replace_file(catalogue, document, at=LATER)
    again = catalogue.add_version(twin := a_version(document, sha256=first.sha256), a_job(twin))
    assert again.number == 3
    _, other, _ = publish(catalogue)
    with pytest.raises(DuplicateDocument):
        catalogue.add_version(twin := a_version(document, sha256=other.sha256), a_job(twin))


def test_versions_added_at_once_get_numbers_of_their_own(catalogue: SqlCatalogue) -> None:
    document, _, _ = publish(catalogue)
    start = Barrier(8)

    def one() -> None:
        start.wait()
        catalogue.add_version(version := a_version(document), a_job(version))

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [v.number for v in catalogue.versions(document.id)] == list(range(9, 0, -1))


def test_a_reading_comes_back_and_replaces_the_one_before(catalogue: SqlCatalogue) -> None:
    _, version, _ = add(catalogue)
    before = read(catalogue, version, 5)
    after = read(catalogue, version, 4)
    assert catalogue.passages(version.id) == after
    (page,) = catalogue.pages(version.id)
    assert (page.span, page.label, page.width) == (Span(0, 40), "1", 595.0)
    kept = catalogue.version_by_id(version.id)
    assert (kept.pages, kept.passages, kept.chars, kept.quality) == (1, 4, 40, {"warnings": []})
    catalogue.make_live(version.id, at=NOW)
    assert catalogue.passage(after[0].id).passage == after[0]
    with pytest.raises(PassageNotFound):
        catalogue.passage(before[0].id)


def test_the_passages_of_a_version_that_has_been_live_stay(catalogue: SqlCatalogue) -> None:
    _, version, passages = publish(catalogue)
    with pytest.raises(WrongState):
        read(catalogue, version)
    assert catalogue.passages(version.id) == passages


def test_a_passage_is_found_while_its_version_is_live_or_retired(catalogue: SqlCatalogue) -> None:
    document, version, _ = add(catalogue)
    passages = read(catalogue, version)
    with pytest.raises(PassageNotFound):
        catalogue.passage(passages[0].id)
    catalogue.make_live(version.id, at=NOW)
    replace_file(catalogue, document, at=LATER)
    found = catalogue.passage(passages[0].id)
    assert (found.passage, found.document, found.version.number) == (passages[0], document, 1)
    catalogue.delete_document(document.id, at=LATER)
    with pytest.raises(PassageNotFound):
        catalogue.passage(passages[0].id)


def test_a_deleted_document_is_found_by_nothing_until_it_is_purged(catalogue: SqlCatalogue) -> None:
    document, version, _ = publish(catalogue)
    catalogue.delete_document(document.id, at=LATER)
    for ask in (catalogue.document, catalogue.row, catalogue.versions):
        with pytest.raises(DocumentNotFound):
            ask(document.id)
    with pytest.raises(DocumentNotFound):
        catalogue.delete_document(document.id, at=LATER)
    with pytest.raises(VersionNotFound):
        catalogue.version_by_id(version.id)
    assert catalogue.rows(limit=5) == ([], None)
    assert catalogue.all_versions(list(VersionState)) == []
    assert catalogue.jobs(limit=5) == ([], None)
    assert catalogue.counts()["documents"] == 0
    ((gone, versions),) = catalogue.deleted()
    assert (gone.id, [v.id for v in versions]) == (document.id, [version.id])
    assert catalogue.has_original(version.sha256)
    catalogue.purge(document.id)
    assert catalogue.deleted() == []
    assert not catalogue.has_original(version.sha256)
    assert catalogue.passages(version.id) == []


def test_lists_longer_than_one_statement_takes_come_whole(
    catalogue: SqlCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [[publish(catalogue) for _ in range(2)] for _ in range(8)]
    facts = {"similarity": 0.9, "settled": "", "found_at": NOW}
    with catalogue._store.write() as connection:
        for (_, version, _), (_, other, _) in pairs:
            row = {"version_id": version.id, "other_id": other.id, **facts}
            connection.execute(tables.near_duplicate.insert().values(row))

    def limited(connection: sqlite3.Connection, _: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 15)

    catalogue._store.engine.dispose()
    event.listen(catalogue._store.engine, "connect", limited)
    monkeypatch.setattr(rows, "_IDS_A_STATEMENT", 3)
    assert len(catalogue.near_duplicates()) == 8
    for pair in pairs:
        for document, _, _ in pair:
            catalogue.delete_document(document.id, at=LATER)
    gone = catalogue.deleted()
    assert [len(versions) for _, versions in gone] == [1] * 16
    assert catalogue.deleted([it.id for it, _ in gone]) == gone


def test_only_a_deleted_document_is_purged(catalogue: SqlCatalogue) -> None:
    document, _, _ = publish(catalogue)
    with pytest.raises(DocumentNotFound):
        catalogue.purge(document.id)
    assert catalogue.document(document.id) == document


def test_deleting_cancels_what_is_unfinished(catalogue: SqlCatalogue) -> None:
    document, version, job = add(catalogue)
    catalogue.claim_job(job.id, now=NOW, lease_until=LATER)
    catalogue.delete_document(document.id, at=LATER)
    assert not catalogue.progress(job.id, stage="reading", done=1, total=2, now=LATER, lease_until=LATER)
    ((_, (gone,)),) = catalogue.deleted()
    assert (gone.id, gone.state) == (version.id, VersionState.CANCELLED)


def test_fields_are_changed_by_name(catalogue: SqlCatalogue) -> None:
    document, _, _ = publish(catalogue, topics=("甲", "乙"))
    changes = {"title": "新的标题", "kind": "lecture", "published_on": date(2020, 2, 29), "topics": ["丙", "甲", "丙"]}
    changed = catalogue.update_document(document.id, changes)
    assert changed == catalogue.document(document.id)
    assert changed == replace(
        document, title="新的标题", kind=Kind.LECTURE, published_on=date(2020, 2, 29), topics=("丙", "甲")
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "poem"),
        ("title", "  "),
        ("title", None),
        ("published_on", "2020-01-01"),
        ("topics", "甲"),
        ("created_at", NOW),
        ("x", 1),
    ],
)
def test_a_change_that_cannot_be_names_its_field(catalogue: SqlCatalogue, name: str, value: object) -> None:
    document, _, _ = publish(catalogue)
    with pytest.raises(InvalidInput) as told:
        catalogue.update_document(document.id, {name: value})
    assert told.value.facts["field"] == name
    assert catalogue.document(document.id) == document


def test_a_document_is_superseded_by_one_that_is_there_and_never_in_a_circle(catalogue: SqlCatalogue) -> None:
    first, second, third = (publish(catalogue)[0] for _ in range(3))
    catalogue.update_document(first.id, {"superseded_by": second.id})
    catalogue.update_document(second.id, {"superseded_by": third.id})
    for circle in (first.id, third.id):
        with pytest.raises(InvalidInput):
            catalogue.update_document(third.id, {"superseded_by": circle})
    with pytest.raises(DocumentNotFound):
        catalogue.update_document(third.id, {"superseded_by": DocumentId("nobody")})
    catalogue.delete_document(third.id, at=NOW)
    catalogue.purge(third.id)
    assert catalogue.document(second.id).superseded_by is None


def test_facts_are_remembered(catalogue: SqlCatalogue) -> None:
    assert catalogue.get_fact("model") is None
    catalogue.set_fact("model", "a")
    catalogue.set_fact("model", "b")
    assert catalogue.get_fact("model") == "b"


def test_counts(catalogue: SqlCatalogue) -> None:
    publish(catalogue)
    document, _, _ = publish(catalogue)
    replace_file(catalogue, document, at=LATER)
    _, failed, job = add(catalogue)
    catalogue.finish_job(job.id, state=JobState.FAILED, now=NOW)
    assert catalogue.counts() == {"documents": 3, "live_versions": 2, "live_passages": 6, "failed_versions": 1}
    assert [v.id for v in catalogue.all_versions([VersionState.FAILED])] == [failed.id]


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({}, ["丁 100%", "丙_甲", "乙 Report", "甲"]),
        ({"q": "甲"}, ["丙_甲", "甲"]),
        ({"q": "report"}, ["乙 Report"]),
        ({"q": "%"}, ["丁 100%"]),
        ({"q": "_"}, ["丙_甲"]),
        ({"q": "发布单位"}, ["乙 Report"]),
        ({"kind": "news"}, ["丙_甲"]),
        ({"topic": "调研"}, ["丙_甲", "甲"]),
        ({"state": "live"}, ["丁 100%", "乙 Report"]),
        ({"state": "queued"}, ["丙_甲", "甲"]),
        ({"q": "甲", "topic": "调研", "state": "queued", "kind": "news"}, ["丙_甲"]),
        ({"state": "retired"}, []),
    ],
)
def test_the_library_is_narrowed(catalogue: SqlCatalogue, asked: dict[str, str], titles: list[str]) -> None:
    add(catalogue, title="甲", topics=("调研",), created_at=NOW)
    publish(catalogue, title="乙 Report", issuer="发布单位", at=NOW + timedelta(1))
    add(catalogue, title="丙_甲", kind=Kind.NEWS, topics=("读书", "调研"), created_at=NOW + timedelta(2))
    publish(catalogue, title="丁 100%", at=NOW + timedelta(3))
    rows, after = catalogue.rows(limit=10, **asked)
    assert [row.document.title for row in rows] == titles
    assert after is None


@pytest.mark.parametrize("cursor", ["x", "????", "MjAyNg", "MjAyNi0wMy0wMVQwODowMDowMCBhYmM", "好"])
def test_a_cursor_that_comes_from_no_list_is_refused(catalogue: SqlCatalogue, cursor: str) -> None:
    for listing in (catalogue.rows, catalogue.jobs):
        with pytest.raises(InvalidInput, match="cursor"):
            listing(limit=5, cursor=cursor)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(0, 5), max_size=12), limit=st.integers(1, 5))
def test_parts_of_a_list_make_the_whole_newest_first(tmp_path: Path, minutes: list[int], limit: int) -> None:
    """Also where several were added at the same moment, and where some are added while the list is read."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    with open_catalogue(f"sqlite:///{folder / 'catalogue.db'}") as catalogue:
        added = [add(catalogue, created_at=NOW + timedelta(minutes=m))[0] for m in minutes]
        expected = [d.id for d in sorted(added, key=lambda d: (d.created_at, d.id), reverse=True)]
        assert _all_rows(catalogue, limit) == expected
        assert _all_jobs(catalogue, limit) == expected


def _all_rows(catalogue: SqlCatalogue, limit: int) -> list[DocumentId]:
    rows, cursor = catalogue.rows(limit=limit)
    found = [row.document.id for row in rows]
    while cursor:
        add(catalogue, created_at=NOW + timedelta(days=9))  # newer than everything: must not disturb what follows
        rows, cursor = catalogue.rows(limit=limit, cursor=cursor)
        assert 0 < len(rows) <= limit
        found += [row.document.id for row in rows]
    return found


def _all_jobs(catalogue: SqlCatalogue, limit: int) -> list[DocumentId]:
    found, cursor = [], ""
    while True:
        jobs, after = catalogue.jobs(limit=limit, cursor=cursor)
        found += [job.document_id for job in jobs if job.created_at < NOW + timedelta(days=9)]
        if after is None:
            return found
        cursor = after


@pytest.mark.parametrize("unknown", ["nobody", "", "'; DROP TABLE document; --"])
def test_what_is_not_there_is_not_found(catalogue: SqlCatalogue, unknown: str) -> None:
    document: Document = add(catalogue)[0]
    with pytest.raises(DocumentNotFound):
        catalogue.document(DocumentId(unknown))
    with pytest.raises(VersionNotFound):
        catalogue.version(document.id, 7)
    with pytest.raises(VersionNotFound):
        catalogue.set_version_state(VersionId(unknown), VersionState.FAILED)
    with pytest.raises(PassageNotFound):
        catalogue.passage(PassageId(unknown))
    assert catalogue.passages(VersionId(unknown)) == []


def test_bytes_are_known_while_a_document_has_them(catalogue: Catalogue) -> None:
    _, kept, _ = add(catalogue, title="在库")
    _, failed, job = add(catalogue, title="失败")
    gone, removed, _ = add(catalogue, title="已删")
    catalogue.finish_job(job.id, state=JobState.FAILED, now=NOW)
    catalogue.delete_document(gone.id, at=NOW)
    asked = [kept.sha256, failed.sha256, removed.sha256, "0" * 64]
    assert catalogue.known(asked) == {kept.sha256: kept.document_id}


def test_a_watched_file_is_remembered_by_its_path_and_outlives_its_document(catalogue: Catalogue) -> None:
    document, _, _ = add(catalogue)
    first = WatchedFile("/资料/a.txt", "a" * 64, 5_000_000_000, 1_700_000_000_123_456_789, NOW, document.id)
    second = replace(first, path="/资料/b.txt", document_id=None, problem="It cannot be read.", missing_since=NOW)
    catalogue.set_watched(second)
    catalogue.set_watched(first)
    assert catalogue.watched() == [first, second]
    catalogue.set_watched(changed := replace(first, sha256="b" * 64))
    catalogue.forget_watched(second.path)
    assert catalogue.watched() == [changed]
    catalogue.delete_document(document.id, at=NOW)
    catalogue.purge(document.id)
    assert catalogue.watched() == [replace(changed, document_id=None)]


def test_the_dictionary_is_kept_whole_and_in_order(catalogue: Catalogue) -> None:
    assert catalogue.dictionary() == []
    catalogue.set_dictionary(["枫桥经验", "abc", "主题教育", "a'b;--"])
    assert catalogue.dictionary() == ["a'b;--", "abc", "主题教育", "枫桥经验"]
    many = sorted(f"第{n}条" for n in range(10_000))
    catalogue.set_dictionary(many)
    assert catalogue.dictionary() == many
    catalogue.set_dictionary([])
    assert catalogue.dictionary() == []
