"""How does a catalogue open: new, older, newer, damaged, held, full, or where nothing can be written?"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, make_url

from index.catalogue import open_catalogue
from index.catalogue.migrate import revisions
from index.catalogue.store import Store
from index.catalogue.tables import metadata
from tests.library import NOW, add, publish
from xuesi.core.domain import (
    NO_FILTERS,
    Document,
    DocumentId,
    Filters,
    Job,
    JobId,
    JobKind,
    JobState,
    Kind,
    Page,
    Passage,
    PassageId,
    Span,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.errors import (
    DataFolderReadOnly,
    IndexCorrupt,
    Misconfigured,
    NewerCatalogue,
    StorageFull,
    StoreUnavailable,
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "a folder with 100% spaces" / "catalogue.db"


def address(place: Path) -> str:
    return f"sqlite:///{place}"


def test_what_was_written_is_there_after_opening_again(place: Path) -> None:
    with open_catalogue(address(place)) as catalogue:
        document, _, _ = publish(catalogue)
    with open_catalogue(address(place)) as catalogue:
        assert catalogue.document(document.id) == document


def test_the_migrations_make_the_tables_that_the_queries_speak_of(place: Path) -> None:
    open_catalogue(address(place)).close()
    engine = create_engine(address(place))
    with engine.connect() as connection:
        # Types are left out: words and times have types of our own, which the database keeps as text.
        context = MigrationContext.configure(connection, opts={"compare_type": False, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_what_is_looked_for_all_the_time_is_not_looked_for_everywhere(place: Path) -> None:
    asked: list[tuple[str, object]] = []
    with open_catalogue(address(place)) as catalogue:
        publish(catalogue)
        event.listen(catalogue._store.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        assert catalogue.all_versions((VersionState.PUBLISHING,)) == []
        assert catalogue.removed() == {}
        assert catalogue.handed_over() == []
        assert len(catalogue.waiting_jobs(now=NOW)) == 1
        queries = [(query, values) for query, values in asked if query.startswith("SELECT")]
        assert len(queries) == 4
        with catalogue._store.read() as connection:
            plans = [
                row[3] for query, values in queries
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)  # type: ignore[arg-type]
            ]  # fmt: skip
    assert not [step for step in plans if step.startswith("SCAN") and "INDEX" not in step]


def test_a_search_begins_at_its_passages(place: Path) -> None:
    asked: list[tuple[str, object]] = []
    with open_catalogue(address(place)) as catalogue:
        _, _, passages = publish(catalogue)
        event.listen(catalogue._store.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
        for filters in (NO_FILTERS, Filters(kind=("news",)), Filters(as_of=NOW.date())):
            asked.clear()
            catalogue.live([p.id for p in passages], filters)
            query, values = next(it for it in asked if it[0].startswith("SELECT"))
            with catalogue._store.read() as connection:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()  # type: ignore[arg-type]
            assert plan[0][3].startswith("SEARCH passage"), plan


def test_a_commit_is_on_the_disk_and_readers_do_not_wait(place: Path) -> None:
    with open_catalogue(address(place)) as catalogue, catalogue._store.read() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_catalogue_without_tables_is_brought_up_to_date(place: Path) -> None:
    place.parent.mkdir()
    with closing(sqlite3.connect(place)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.commit()
    with open_catalogue(address(place)) as catalogue:
        publish(catalogue)


_ROWS_OF_THE_FIRST_REVISION = """
INSERT INTO document (id, title, kind, issuer, published_on, effective_on, language, visibility, superseded_by, created_at, deleted_at)
VALUES ('d', '调查研究工作手册', 'study_text', '研究室', '2023-06-01', NULL, 'zh', 'everyone', NULL, '2026-03-01T08:00:00.000000+00:00', NULL);
INSERT INTO document_topic (document_id, topic, ordinal) VALUES ('d', '调查研究', 0);
INSERT INTO version (id, document_id, number, sha256, file_name, media_type, bytes, state, added_at, pages, chars, passages, quality, added_by,
    live_from, retired_at)
VALUES ('v', 'd', 1, 'abc', '手册.txt', 'text/plain', 300, 'live', '2026-03-01T08:00:00.000000+00:00', 1, 12, 1, '{"warnings": []}', 'owner',
    '2026-03-01T08:00:00.000000+00:00', NULL);
INSERT INTO job (id, kind, document_id, version_id, state, created_at, updated_at, stage, done, total, error_code, error_detail, attempts,
    lease_until)
VALUES ('j', 'embed', 'd', 'v', 'queued', '2026-03-01T08:00:00.000000+00:00', '2026-03-01T08:00:00.000000+00:00', '', 0, 0, '', '', 0, NULL);
INSERT INTO page (version_id, number, start, end, label, width, height) VALUES ('v', 1, 0, 12, '1', 595.0, 842.0);
INSERT INTO passage (id, version_id, ordinal, start, end, text, page_from, page_to, heading_path, tokens)
VALUES ('p', 'v', 0, 0, 12, '调研要走到基层去看一看。', 1, 1, '["第一章 总则"]', 9);
INSERT INTO fact (key, value) VALUES ('a', 'b');
"""


def _of_the_first_revision(place: Path) -> None:
    """Make a catalogue as the first program left it, with a row in each of its tables."""
    place.parent.mkdir()
    config = Config()
    config.set_main_option("script_location", "index.catalogue:migrations")
    config.set_main_option("path_separator", "os")
    store = Store(make_url(address(place)))
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions()[0])
    store.close()
    with closing(sqlite3.connect(place)) as database:
        database.executescript(_ROWS_OF_THE_FIRST_REVISION)


def test_what_the_first_program_wrote_is_there_after_the_migrations(place: Path) -> None:
    _of_the_first_revision(place)
    document, version = DocumentId("d"), VersionId("v")
    with open_catalogue(address(place)) as catalogue:
        assert catalogue.document(document) == Document(
            id=document,
            title="调查研究工作手册",
            kind=Kind.STUDY_TEXT,
            created_at=NOW,
            issuer="研究室",
            published_on=date(2023, 6, 1),
            language="zh",
            topics=("调查研究",),
        )
        assert catalogue.row(document).newest == Version(
            id=version,
            document_id=document,
            number=1,
            sha256="abc",
            file_name="手册.txt",
            media_type="text/plain",
            bytes=300,
            state=VersionState.LIVE,
            added_at=NOW,
            pages=1,
            chars=12,
            passages=1,
            quality={"warnings": []},
            added_by="owner",
            live_from=NOW,
        )
        assert catalogue.pages(version) == [Page(1, Span(0, 12), "1", 595.0, 842.0)]
        passage = Passage(
            id=PassageId("p"),
            version_id=version,
            ordinal=0,
            span=Span(0, 12),
            text="调研要走到基层去看一看。",
            page_from=1,
            page_to=1,
            heading_path=("第一章 总则",),
            tokens=9,
        )
        assert catalogue.passages(version) == [passage]
        assert catalogue.live([passage.id], NO_FILTERS)[passage.id].passage == passage
        job = Job(JobId("j"), JobKind.EMBED, document, version, JobState.QUEUED, created_at=NOW, updated_at=NOW)
        assert catalogue.job(job.id) == job
        assert catalogue.claim_job(job.id, now=NOW, lease_until=NOW + timedelta(minutes=1))
        assert catalogue.get_fact("a") == "b"
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(revisions()[-1],)]


def test_a_newer_catalogue_is_refused_and_left_as_it_is(place: Path) -> None:
    open_catalogue(address(place)).close()
    with closing(sqlite3.connect(place)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    with pytest.raises(NewerCatalogue) as told:
        open_catalogue(address(place))
    assert told.value.facts == {"found": "9999", "known": revisions()[-1]}
    assert str(place) in told.value.detail
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


_OPEN_WHEN_TOLD = """
import sys
from index.catalogue import open_catalogue
print("ready", flush=True)
for address in sys.stdin:
    with open_catalogue(address.strip()) as catalogue:
        catalogue.set_fact("a", "b")
    print("done", flush=True)
"""


def test_processes_may_open_a_new_catalogue_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _OPEN_WHEN_TOLD]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [process.stdout and process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for i in range(15):
        for process in processes:
            assert process.stdin
            print(address(tmp_path / str(i) / "catalogue.db"), file=process.stdin, flush=True)
        assert [process.stdout and process.stdout.readline() for process in processes] == ["done\n"] * 4
    for process in processes:
        process.communicate()
        assert process.returncode == 0


def test_two_processes_see_what_the_other_wrote(place: Path) -> None:
    program = f"""
from index.catalogue import open_catalogue
from tests.library import publish
with open_catalogue({address(place)!r}) as catalogue:
    for _ in range(30):
        publish(catalogue)
"""
    root = Path(__file__).parents[2]
    with open_catalogue(address(place)) as catalogue:
        other = subprocess.Popen([sys.executable, "-W", "error", "-c", program], cwd=root)
        for _ in range(30):
            publish(catalogue)
        assert other.wait(120) == 0
        assert catalogue.counts()["live_versions"] == 60


def test_a_catalogue_held_by_another_for_too_long_is_unavailable(place: Path) -> None:
    with open_catalogue(f"{address(place)}?timeout=0.1") as catalogue:
        document, _, _ = publish(catalogue)
        with closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="held by another"):
                catalogue.set_fact("a", "b")
            assert catalogue.document(document.id) == document  # reading goes on
            other.execute("COMMIT")
        catalogue.set_fact("a", "b")


@pytest.mark.parametrize("content", [b"no database at all " * 500, b"%PDF-1.7\n" + b"x" * 5000])
def test_a_file_that_is_no_catalogue_is_reported_and_left_as_it_is(place: Path, content: bytes) -> None:
    place.parent.mkdir()
    place.write_bytes(content)
    with pytest.raises(IndexCorrupt) as told:
        open_catalogue(address(place))
    assert str(place) in told.value.detail
    assert place.read_bytes() == content


def test_a_damaged_catalogue_is_reported(place: Path) -> None:
    with open_catalogue(address(place)) as catalogue:
        for i in range(50):
            add(catalogue, created_at=NOW + timedelta(i))
    size = place.stat().st_size
    with place.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    with pytest.raises(IndexCorrupt), open_catalogue(address(place)) as catalogue:
        catalogue.rows(limit=50)


def test_a_full_disk_is_reported_and_the_catalogue_still_answers(place: Path) -> None:
    with open_catalogue(address(place)) as catalogue:
        document, _, _ = publish(catalogue)
        with catalogue._store.read() as connection:  # the pool gives the same connection again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageFull):
            catalogue.set_fact("large", "x" * 200_000)
        assert catalogue.get_fact("large") is None
        assert catalogue.document(document.id) == document


@pytest.mark.skipif(sys.platform != "linux", reason="/sys refuses every user on Linux only")
def test_a_folder_that_cannot_be_made_is_reported() -> None:
    with pytest.raises(DataFolderReadOnly):
        open_catalogue("sqlite:////sys/xuesi/catalogue.db")


@pytest.mark.parametrize("wrong", ["nonsense", "sqlite+nothing:///x", "postgres9://host/x"])
def test_an_address_that_cannot_be_is_misconfigured(wrong: str) -> None:
    with pytest.raises(Misconfigured) as told:
        open_catalogue(wrong)
    assert told.value.facts["setting"] == "database_url"
