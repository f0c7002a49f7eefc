"""What is taken in, what is refused at once, and what is left behind of it?"""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingest.intake import Accepted, Duplicate
from tests.small_disk import on_a_small_disk
from tests.workshop import Workshop, open_workshop
from xuesi.core.domain import DocumentId, JobState, Kind
from xuesi.core.errors import DocumentNotFound, DocumentTooLarge, EmptyFile, UnsupportedFormat, XuesiError


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var") as opened:
        yield opened


def originals(workshop: Workshop) -> list[Path]:
    return [p for p in (workshop.settings.data_dir / "files").rglob("*") if p.is_file()]


def test_what_is_said_of_a_file_is_kept(workshop: Workshop) -> None:
    taken = workshop.accepted(
        title="调查研究 工作手册",
        kind="lecture",
        issuer="宣传部",
        published_on="2023-04-03",
        effective_on="2023-05-01",
        topics=["调研", "作风"],
        language="zh",
        visibility="lecturers",
    )
    document = workshop.catalogue.document(taken.document.id)
    assert document == taken.document
    assert (document.title, document.kind, document.issuer) == ("调查研究 工作手册", Kind.LECTURE, "宣传部")
    assert (document.published_on, document.effective_on) == (date(2023, 4, 3), date(2023, 5, 1))
    assert (document.topics, document.language, document.visibility) == (("调研", "作风"), "zh", "lecturers")
    assert (taken.version.media_type, taken.version.file_name) == ("text/markdown", "手册.md")
    assert taken.version.bytes == workshop.files.original(taken.version.sha256).stat().st_size
    assert workshop.queue.waiting() == 1


@pytest.mark.parametrize(
    ("content", "name", "refusal"),
    [
        (b"", "empty.pdf", EmptyFile),
        (b"x" * 1_000_001, "large.txt", DocumentTooLarge),
        (b"GIF89a" + b"\0" * 100, "picture.pdf", UnsupportedFormat),
        (b"plain text under a wrong name", "report.docx", UnsupportedFormat),
        (b"MZ\x90\0\3\0\0\0" * 50, "setup.exe", UnsupportedFormat),
    ],
)
def test_of_what_is_refused_nothing_is_left(
    workshop: Workshop, content: bytes, name: str, refusal: type[XuesiError]
) -> None:
    with pytest.raises(refusal):
        workshop.take(content, name, password="secret")
    assert originals(workshop) == []
    assert workshop.secrets == []
    assert workshop.catalogue.rows(limit=5) == ([], None)
    assert workshop.queue.waiting() == 0


def test_a_refused_name_does_not_take_away_the_bytes_of_another(workshop: Workshop) -> None:
    kept = workshop.accepted("正文在此。", "a.txt")
    with pytest.raises(UnsupportedFormat):
        workshop.take("正文在此。", "a.docx")
    assert workshop.files.original(kept.version.sha256).is_file()


def test_the_same_file_again_names_the_document_that_has_it(workshop: Workshop) -> None:
    first = workshop.accepted()
    again = workshop.take(file_name="another name.md", title="另一个标题", password="p")
    assert isinstance(again, Duplicate)
    assert again.document == first.document
    assert workshop.secrets == []
    workshop.work()
    workshop.catalogue.make_live(first.version.id, at=datetime.now(UTC))
    assert isinstance(workshop.take(), Duplicate)
    assert isinstance(workshop.take(document_id=first.document.id), Duplicate)


def test_the_same_file_from_many_at_once_is_taken_once(workshop: Workshop) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: workshop.take(), range(8)))
    assert sum(isinstance(one, Accepted) for one in taken) == 1
    assert len({one.document.id for one in taken}) == 1
    assert workshop.work() == 1


def test_a_file_that_failed_may_come_again(workshop: Workshop) -> None:
    broken = workshop.accepted(b"%PDF-1.7\n", "a.pdf")
    workshop.work()
    assert workshop.job(broken).state is JobState.FAILED
    again = workshop.accepted(b"%PDF-1.7\n", "b.pdf", title="有标题了")
    assert (again.document.id, again.version.id, again.job.id) == (broken.document.id, broken.version.id, broken.job.id)
    assert (again.document.title, again.job.state) == ("有标题了", JobState.QUEUED)


def test_a_file_may_come_again_after_its_document_was_removed(workshop: Workshop) -> None:
    first = workshop.accepted()
    workshop.catalogue.delete_document(first.document.id, at=datetime.now(UTC))
    again = workshop.accepted()
    assert again.document.id != first.document.id


def test_a_version_of_a_document_that_is_not_there_is_refused(workshop: Workshop) -> None:
    with pytest.raises(DocumentNotFound):
        workshop.take(document_id=DocumentId("nobody"))
    assert originals(workshop) == []


def test_a_further_version_gets_the_next_number(workshop: Workshop) -> None:
    first = workshop.accepted()
    second = workshop.accepted("# 新版\n\n正文。", document_id=first.document.id, title="not used")
    assert (second.document.id, second.version.number) == (first.document.id, 2)
    assert second.document.title == first.document.title


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\用户\\文件\\报告.txt", "报告.txt"),
        ("🙂👨‍👩‍👧.txt", "🙂👨‍👩‍👧.txt"),
        ("no extension", "no extension"),
        ("", "file"),
        ("..", "file"),
        ("a\0b\r\n\x1b[31mc.txt", "ab[31mc.txt"),
        ("'; DROP TABLE document; --.txt", "'; DROP TABLE document; --.txt"),
    ],
)
def test_names_are_shown_clean_and_lead_nowhere(workshop: Workshop, name: str, shown: str) -> None:
    taken = workshop.accepted("正文在此。", name)
    assert taken.version.file_name == shown
    (original,) = originals(workshop)
    assert original == workshop.settings.data_dir / "files" / taken.version.sha256 / "original"


def test_a_very_long_name_is_shortened_in_the_middle(workshop: Workshop) -> None:
    name = workshop.accepted("正文在此。", "长" * 300 + ".txt").version.file_name
    assert len(name) == 120
    assert name.endswith("长.txt")
    assert "…" in name


@pytest.mark.parametrize(
    ("content", "name", "told", "title"),
    [
        ("# 调查研究工作手册\n\n正文。", "手册.md", {}, "调查研究工作手册"),
        ("# 调查研究工作手册\n\n正文。", "手册.md", {"title": "给定的标题"}, "给定的标题"),
        ("正文没有标题。", "2023年_工作_报告.txt", {}, "2023年 工作 报告"),
        ("正文。\n\n# 后面的标题\n\n正文。", "手册.md", {}, "手册"),
        (
            "<html><head><title>网页的标题</title></head><body><p>正文在这里，足够长的一段文字。</p></body></html>",
            "x.html",
            {},
            "网页的标题",
        ),
    ],
)
def test_a_title_that_nobody_gave_is_taken_from_the_file(
    workshop: Workshop, content: str, name: str, told: dict[str, str], title: str
) -> None:
    taken = workshop.accepted(content, name, **told)
    workshop.work()
    assert workshop.job(taken).stage == "publishing", workshop.job(taken)
    assert workshop.catalogue.document(taken.document.id).title == title


def test_a_queue_that_is_away_loses_nothing(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.queue.close()
    place = workshop.settings.data_dir / "queue.db"
    place.unlink()
    place.mkdir()  # nothing can be opened there any more
    taken = workshop.accepted()
    assert [job.id for job in workshop.catalogue.waiting_jobs(now=datetime.now(UTC))] == [taken.job.id]


_A_PASSWORD_ON_A_FULL_DISK = """
import json, sys
from pathlib import Path
from ingest.secrets import Secrets
from xuesi.core.domain import JobId
from xuesi.core.errors import StorageFull

disk = Path(sys.argv[1])
secrets = Secrets(disk / "secrets")
secrets.keep(JobId("before"), "kept")
try:
    (disk / "full").write_bytes(b"x" * 1_000_000)
except OSError:
    pass
try:
    secrets.keep(JobId("now"), "lost" * 10_000)
except StorageFull as error:
    print(json.dumps([error.code, secrets.get(JobId("before")), secrets.get(JobId("now"))]))
"""


def test_a_password_on_a_full_disk_is_refused_and_no_half_of_it_stays(tmp_path: Path) -> None:
    assert on_a_small_disk(tmp_path, _A_PASSWORD_ON_A_FULL_DISK) == ["storage-full", "kept", None]


def test_left_passwords_are_cleared_when_they_are_old_and_of_no_use(workshop: Workshop) -> None:
    import os

    from ingest.jobs import waits_for_worker
    from ingest.secrets import Secrets

    waiting = workshop.accepted(password="needed")
    cancelled = workshop.accepted("# 另一篇\n\n正文。", password="not needed")
    workshop.catalogue.finish_job(cancelled.job.id, state=JobState.CANCELLED, now=datetime.now(UTC))
    secrets = Secrets(workshop.settings.data_dir / "secrets")
    secrets.forget_all(unless=lambda job: waits_for_worker(workshop.catalogue, job))
    assert len(workshop.secrets) == 2
    old = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    for place in workshop.secrets:
        os.utime(place, (old, old))
    secrets.forget_all(unless=lambda job: waits_for_worker(workshop.catalogue, job))
    assert [place.name for place in workshop.secrets] == [waiting.job.id]
    assert stat.S_IMODE(workshop.secrets[0].stat().st_mode) == 0o600
