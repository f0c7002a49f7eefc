"""Does every job come to its end, whatever the file, the model or a crash does?"""

import contextlib
import logging
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ingest import jobs
from ingest.intake import Accepted
from ingest.worker import runner_of
from tests.drawn import encrypted_pdf
from tests.fakes import HashEmbedder
from tests.workshop import STUDY_TEXT, Workshop, open_workshop
from xuesi.core.domain import Filters, JobKind, JobState, VersionState
from xuesi.core.ports import Embedded, EmbedInput
from xuesi.core.text import in_context

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var") as opened:
        yield opened


class Meddling(HashEmbedder):
    """An embedder in whose first forward pass something else happens."""

    def __init__(self, happen: object) -> None:
        super().__init__()
        self._happen = happen

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        if self.calls == 0:
            self.calls += 1
            self._happen()  # type: ignore[operator]
        return super().embed_passages(inputs)


def test_a_file_becomes_passages_with_vectors_and_waits_for_the_publisher(workshop: Workshop) -> None:
    taken = workshop.accepted()
    assert workshop.work() == 1
    version, job = workshop.version(taken), workshop.job(taken)
    assert (version.state, job.state, job.stage) == (VersionState.PUBLISHING, JobState.RUNNING, "publishing")
    assert [j.id for j in workshop.catalogue.handed_over()] == [job.id]
    text, passages = workshop.files.text(version), workshop.catalogue.passages(version.id)
    assert len(passages) >= 2
    assert version.passages == len(passages)
    assert version.chars == len(text)
    for passage in passages:
        assert passage.span.of(text) == passage.text
    assert "".join(p.text for p in passages).count("没有调查，就没有发言权") == 1
    vectors, title = workshop.files.vectors(version, "hash"), workshop.catalogue.document(version.document_id).title
    for passage in passages:
        alone = HashEmbedder().embed_passages([EmbedInput(in_context(title, passage.heading_path, passage.text)[0])])
        np.testing.assert_array_equal(vectors[passage.ordinal], alone.passages[0])


def test_sentences_are_kept_with_their_places_in_the_text(workshop: Workshop) -> None:
    taken = workshop.accepted()
    workshop.work()
    version = workshop.version(taken)
    text, kept = workshop.files.text(version), workshop.files.sentences(version, "hash")
    passages = workshop.catalogue.passages(version.id)
    told = [text[start:end] for start, end in kept.spans]
    assert "没有调查，就没有发言权；" in told
    for (start, end), ordinal, vector in zip(kept.spans, kept.passages, kept.vectors, strict=True):
        assert passages[ordinal].span.start <= start < end <= passages[ordinal].span.end
        alone = HashEmbedder().embed_query(text[start:end]).vector
        np.testing.assert_array_equal(vector, alone.astype(np.float16))


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "cut.pdf", "unreadable-document"),
        (b" \n\n \t \n", "blank.txt", "no-text"),
    ],
)
def test_a_file_that_cannot_be_read_fails_at_once_and_says_why(
    workshop: Workshop, content: bytes, name: str, code: str
) -> None:
    taken = workshop.accepted(content, name)
    assert workshop.work() == 1
    job = workshop.job(taken)
    assert (job.state, job.error_code, job.attempts) == (JobState.FAILED, code, 1)
    assert len(job.error_detail) > 20
    assert workshop.version(taken).state is VersionState.FAILED


def test_an_error_that_may_pass_is_tried_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_RETRY_AFTER_S", 0.01)
    taken = workshop.accepted()
    assert workshop.work(HashEmbedder(failures=2)) == 3
    job = workshop.job(taken)
    assert (job.stage, job.attempts, job.error_code) == ("publishing", 3, "")


def test_an_error_that_does_not_pass_is_reported_in_the_end(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_RETRY_AFTER_S", 0.01)
    taken = workshop.accepted()
    assert workshop.work(HashEmbedder(failures=99)) == workshop.settings.job_attempts
    job = workshop.job(taken)
    assert (job.state, job.error_code, job.error_detail) == (JobState.FAILED, "model-unavailable", "The model is away.")


def test_what_nobody_foresaw_fails_the_job_and_is_logged(workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    def blow_up() -> None:
        raise ZeroDivisionError("the tenth of nothing")

    taken = workshop.accepted()
    with caplog.at_level(logging.ERROR):
        workshop.work(Meddling(blow_up))
    job = workshop.job(taken)
    assert (job.state, job.error_code) == (JobState.FAILED, "internal-error")
    assert "tenth of nothing" not in job.error_detail
    assert "tenth of nothing" in caplog.text
    again = workshop.catalogue.requeue_job(job.id, now=datetime.now(UTC))
    workshop.work()
    assert workshop.catalogue.job(again.id).stage == "publishing"


def test_what_fails_because_the_worker_ends_is_put_back(workshop: Workshop) -> None:
    taken = workshop.accepted()

    def end() -> None:
        runner.stopping.set()
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    runner = runner_of(
        catalogue=workshop.catalogue, files=workshop.files, embedder=lambda: Meddling(end), settings=workshop.settings
    )
    with contextlib.closing(runner.reader):
        assert runner.run(taken.job.id)
    assert (workshop.job(taken).state, workshop.job(taken).attempts) == (JobState.QUEUED, 0)


def test_a_cancelled_job_is_left(workshop: Workshop) -> None:
    taken = workshop.accepted()
    cancel = {"state": JobState.CANCELLED, "now": datetime.now(UTC)}
    workshop.work(Meddling(lambda: workshop.catalogue.finish_job(taken.job.id, **cancel)))  # type: ignore[arg-type]
    assert workshop.job(taken).state is JobState.CANCELLED
    assert workshop.version(taken).state is VersionState.CANCELLED
    assert workshop.files.embedded(taken.version) == {}


def test_the_job_of_a_document_that_is_removed_is_left(workshop: Workshop) -> None:
    taken = workshop.accepted()
    workshop.work(Meddling(lambda: workshop.catalogue.delete_document(taken.document.id, at=datetime.now(UTC))))
    assert workshop.catalogue.handed_over() == []
    assert workshop.catalogue.counts()["documents"] == 0


def test_a_long_step_does_not_lose_the_job(tmp_path: Path) -> None:
    waiting = []
    with open_workshop(tmp_path / "var", job_lease_s=1) as workshop:

        def sleep() -> None:
            for _ in range(6):
                time.sleep(0.4)
                waiting.extend(workshop.catalogue.waiting_jobs(now=datetime.now(UTC)))

        taken = workshop.accepted()
        assert workshop.work(Meddling(sleep)) == 1
        assert waiting == []
        assert workshop.job(taken).stage == "publishing"


_SLOW_WORKER = """
import sys
from pathlib import Path
from tests.fakes import HashEmbedder
from tests.workshop import open_workshop
with open_workshop(Path(sys.argv[1]), job_lease_s=1) as workshop:
    workshop.work(HashEmbedder(pause_s=60))
"""


def kill_while_embedding(workshop: Workshop) -> None:
    """Run a worker process and kill it in the middle of its forward pass."""
    command = [sys.executable, "-W", "error", "-c", _SLOW_WORKER, str(workshop.settings.data_dir)]
    before = {job.attempts for job in workshop.catalogue.jobs(limit=9)[0]}
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until = time.monotonic() + 300
        while not any(
            job.stage == "embedding" and job.attempts not in before
            for job in workshop.catalogue.jobs(state=JobState.RUNNING, limit=9)[0]
        ):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def wait_until_free(workshop: Workshop) -> None:
    until = time.monotonic() + 60
    while not workshop.catalogue.waiting_jobs(now=datetime.now(UTC)):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_job_of_a_killed_worker_is_taken_up_again_and_leaves_one_set_of_passages(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "var", job_lease_s=1) as workshop:
        taken = workshop.accepted()
        kill_while_embedding(workshop)
        left = {p.id for p in workshop.catalogue.passages(taken.version.id)}
        assert left
        wait_until_free(workshop)
        assert workshop.work() == 1
        assert workshop.job(taken).attempts == 2
        passages = workshop.catalogue.passages(taken.version.id)
        assert [p.ordinal for p in passages] == list(range(len(left)))
        assert not left & {p.id for p in passages}
        assert len(workshop.files.vectors(taken.version, "hash")) == len(passages)
        workshop.catalogue.make_live(taken.version.id, at=datetime.now(UTC))
        assert workshop.job(taken).state is JobState.DONE


def test_a_file_over_which_the_worker_died_twice_is_set_aside_until_a_person_asks(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "var", job_lease_s=1, job_attempts=9) as workshop:
        taken = workshop.accepted()
        for deaths in (1, 2):
            kill_while_embedding(workshop)
            wait_until_free(workshop)
            assert workshop.job(taken).deaths == deaths - 1  # counted when it is claimed again
        embedder = HashEmbedder()
        workshop.work(embedder)
        job = workshop.job(taken)
        assert (job.state, job.error_code, job.deaths) == (JobState.FAILED, "parser-crashed", 2)
        assert "set aside" in job.error_detail
        assert embedder.calls == 0
        workshop.catalogue.requeue_job(job.id, now=datetime.now(UTC))
        workshop.work(embedder)
        assert (workshop.job(taken).stage, workshop.job(taken).deaths) == ("publishing", 0)


def most_at_once(workshop: Workshop, *taken: Accepted) -> int:
    """Run the jobs from as many threads; how many were claimed at the same time."""
    seen = []

    class Looking(HashEmbedder):
        def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
            time.sleep(0.5)
            running = workshop.catalogue.jobs(state=JobState.RUNNING, limit=9)[0]
            seen.append(sum(job.stage != "publishing" for job in running))
            return super().embed_passages(inputs)

    runner = runner_of(catalogue=workshop.catalogue, files=workshop.files, embedder=Looking, settings=workshop.settings)
    with contextlib.closing(runner.reader), ThreadPoolExecutor(len(taken)) as pool:
        assert all(pool.map(runner.run, [one.job.id for one in taken]))
    assert all(workshop.job(one).stage == "publishing" for one in taken)
    return max(seen)


def test_two_files_are_worked_on_side_by_side(workshop: Workshop) -> None:
    taken = [workshop.accepted(STUDY_TEXT + word, f"{word}.md") for word in ("甲", "乙")]
    assert most_at_once(workshop, *taken) == 2


def test_a_file_over_which_a_process_died_runs_alone(workshop: Workshop) -> None:
    taken = [workshop.accepted(STUDY_TEXT + word, f"{word}.md") for word in ("甲", "乙")]
    now = datetime.now(UTC)
    assert workshop.catalogue.claim_job(taken[1].job.id, now=now, lease_until=now + timedelta(seconds=60))
    back = {"not_before": now, "error_code": "", "error_detail": "", "attempt": 1, "died": True}
    workshop.catalogue.put_back(taken[1].job.id, now=now, **back)  # type: ignore[arg-type]
    assert most_at_once(workshop, *taken) == 1


def test_large_files_run_alone(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LARGE_BYTES", 100)
    taken = [workshop.accepted(STUDY_TEXT + word, f"{word}.md") for word in ("甲", "乙")]
    assert most_at_once(workshop, *taken) == 1


def test_a_password_opens_the_file_and_is_nowhere_afterwards(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = workshop.accepted(encrypted_pdf("正确的密码 right"), "secret.pdf", password="a wrong guess")
    (secret,) = workshop.secrets
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    workshop.work()
    assert workshop.job(wrong).error_code == "encrypted-document"
    assert workshop.secrets == []
    content = workshop.files.original(wrong.version.sha256).read_bytes()
    again = workshop.accepted(content, "secret.pdf", password="正确的密码 right", issuer="某办公室")
    assert (again.job.id, again.document.id) == (wrong.job.id, wrong.document.id)
    assert again.document.issuer == "某办公室"
    workshop.work()
    assert workshop.job(again).stage == "publishing"
    assert workshop.secrets == []
    kept = b"".join(
        path.read_bytes()
        for path in workshop.settings.data_dir.rglob("*")
        if path.is_file() and path.name != "original"
    )
    for password in ("正确的密码 right", "a wrong guess"):
        assert password.encode() not in kept
        assert password not in caplog.text


def test_a_password_stays_while_the_job_is_tried_again(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_RETRY_AFTER_S", 0.01)
    taken = workshop.accepted(encrypted_pdf("right"), "secret.pdf", password="right")
    workshop.work(HashEmbedder(failures=1))
    assert workshop.job(taken).stage == "publishing"
    assert workshop.secrets == []


def test_a_new_title_embeds_the_passages_again_while_the_version_stays_live(workshop: Workshop) -> None:
    taken = workshop.accepted()
    workshop.work()
    workshop.catalogue.make_live(taken.version.id, at=datetime.now(UTC))
    passages, before = workshop.catalogue.passages(taken.version.id), workshop.files.vectors(taken.version, "hash")
    workshop.intake.change(taken.document.id, {"title": "另一个标题"})
    ids = [p.id for p in passages]

    def still_live() -> None:
        assert workshop.catalogue.live(ids, Filters()).keys() == set(ids)
        np.testing.assert_array_equal(workshop.files.vectors(taken.version, "hash"), before)

    workshop.work(Meddling(still_live))
    still = workshop.version(taken)
    assert still.state is VersionState.LIVE
    assert workshop.catalogue.passages(taken.version.id) == passages
    assert not np.array_equal(workshop.files.vectors(taken.version, "hash"), before)
    (job,) = workshop.catalogue.handed_over()
    assert (job.kind, job.version_id) == (JobKind.EMBED, taken.version.id)


def test_other_changes_embed_nothing(workshop: Workshop) -> None:
    taken = workshop.accepted()
    workshop.work()
    workshop.catalogue.make_live(taken.version.id, at=datetime.now(UTC))
    title = workshop.catalogue.document(taken.document.id).title
    workshop.intake.change(taken.document.id, {"issuer": "宣传部", "title": title, "topics": ["调研"]})
    assert workshop.catalogue.waiting_jobs(now=datetime.now(UTC)) == []


def test_a_title_that_changes_while_the_passages_are_embedded_counts(workshop: Workshop) -> None:
    taken = workshop.accepted(title="以前的标题")
    workshop.work(Meddling(lambda: workshop.intake.change(taken.document.id, {"title": "后来的标题"})))
    first = workshop.catalogue.passages(taken.version.id)[0]
    wanted = EmbedInput(in_context("后来的标题", first.heading_path, first.text)[0])
    np.testing.assert_array_equal(
        workshop.files.vectors(taken.version, "hash")[0], HashEmbedder().embed_passages([wanted]).passages[0]
    )


def test_a_failed_replacement_leaves_the_live_version(workshop: Workshop) -> None:
    taken = workshop.accepted()
    workshop.work()
    workshop.catalogue.make_live(taken.version.id, at=datetime.now(UTC))
    bad = workshop.accepted(b"%PDF-1.7\n", "neu.pdf", document_id=taken.document.id)
    workshop.work()
    assert workshop.job(bad).state is JobState.FAILED
    row = workshop.catalogue.row(taken.document.id)
    assert (row.newest.number, row.live and row.live.number) == (2, 1)


def test_a_large_text_is_worked_on_in_parts_with_progress(workshop: Workshop) -> None:
    many = "\n\n".join(f"## 第{i}节\n\n" + STUDY_TEXT.split("\n\n")[2] * 3 for i in range(300))
    seen: list[tuple[int, int]] = []

    class Watching(HashEmbedder):
        def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
            (job,) = workshop.catalogue.jobs(state=JobState.RUNNING, limit=2)[0]
            seen.append((job.done, job.total))
            time.sleep(0.3)  # progress is written four times a second
            return super().embed_passages(inputs)

    taken = workshop.accepted(many)
    workshop.work(Watching())
    total = workshop.version(taken).passages
    assert total >= 300
    assert seen == [(256 * i, total) for i in range(len(seen))]
    assert len(seen) == -(-total // 256)
