"""Does every job end while its file is read apart: cancelled, at a limit, after a crash, with what a broken-into process leaves behind?"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import jobs
from ingest.apart.exchange import read_back, write_error, write_reading
from ingest.apart.limits import Limits
from ingest.apart.reading import ReadingApart
from tests.hostile import a_pdf_that_takes_hours
from tests.workshop import Workshop, open_workshop
from xuesi.core.domain import Block, BlockKind, JobState, OutlineEntry, Page, Span
from xuesi.core.errors import EncryptedDocument, ParserCrashed, TooMuchToRead
from xuesi.core.ports import Reading


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var", page_timeout_s=60) as opened:
        yield opened


def reading_processes() -> list[int]:
    """Children of zygotes that are this process's children."""
    return [
        child
        for zygote in _children(os.getpid())
        for child in _children(zygote)
        if b"ingest.apart.zygote" in _command(zygote)
    ]


def _command(process: int) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def _children(process: int) -> list[int]:
    """None of a process that has ended."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextmanager
def once_a_file_is_read(action: Callable[[int], object], *, times: int = 1) -> Iterator[None]:
    """Do something with the process that reads, as soon as there is one and it has begun."""

    def act() -> None:
        for _ in range(times):
            while not (found := reading_processes()):
                time.sleep(0.01)
            time.sleep(0.5)
            action(found[0])
            while found[0] in reading_processes():
                time.sleep(0.01)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    yield
    thread.join(10)
    assert not thread.is_alive()


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_cancelling_takes_effect_within_a_second_inside_a_long_page(workshop: Workshop) -> None:
    taken = workshop.accepted(a_pdf_that_takes_hours(), "hours.pdf")
    at: list[float] = []

    def cancel(_: int) -> None:
        workshop.catalogue.finish_job(taken.job.id, state=JobState.CANCELLED, now=datetime.now(UTC))
        at.append(time.monotonic())
        while reading_processes():
            time.sleep(0.005)
        at.append(time.monotonic())

    with once_a_file_is_read(cancel):
        workshop.work()
    assert at[1] - at[0] < 1.0
    assert workshop.job(taken).state is JobState.CANCELLED


def test_a_reading_process_that_dies_once_is_tried_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jobs, "_RETRY_AFTER_S", 0.01)
    taken = workshop.accepted(a_pdf_that_takes_hours(), "hours.txt")

    def act(process: int) -> None:
        """Let the second attempt find a file that can be read."""
        better = tmp_path / "better"
        better.write_text("# 标题\n\n现在可以读了。\n")
        better.replace(workshop.files.original(taken.version.sha256))
        kill(process)

    with once_a_file_is_read(act):
        assert workshop.work() == 2
    assert (workshop.job(taken).stage, workshop.job(taken).deaths) == ("publishing", 1)


def test_a_file_over_which_the_reading_process_dies_twice_is_set_aside(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_RETRY_AFTER_S", 0.01)
    taken = workshop.accepted(a_pdf_that_takes_hours(), "hours.pdf")
    with once_a_file_is_read(kill, times=2):
        assert workshop.work() == 2
    job = workshop.job(taken)
    assert (job.state, job.error_code) == (JobState.FAILED, "parser-crashed")
    assert "SIGKILL" in job.error_detail


def test_a_page_without_end_is_a_limit_that_is_named_and_not_tried_again(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "var", page_timeout_s=1) as workshop:
        taken = workshop.accepted(a_pdf_that_takes_hours(), "hours.pdf")
        assert workshop.work() == 1
        job = workshop.job(taken)
    assert (job.state, job.error_code) == (JobState.FAILED, "too-much-to-read")
    assert "page_timeout_s" in job.error_detail


def test_progress_is_told_page_by_page(tmp_path: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    place = tmp_path / "pages.pdf"
    canvas = Canvas(str(place))
    for number in range(40):
        canvas.drawString(72, 700, f"This is page {number} of a file with many pages.")
        canvas.showPage()
    canvas.save()
    seen: list[tuple[int, int]] = []
    apart = ReadingApart(tmp_path / "reading", Limits())
    try:
        apart.read(place, "pages.pdf", watch=lambda done, total: seen.append((done, total)))
    finally:
        apart.close()
    assert (40, 40) in seen
    assert seen == sorted(seen)
    assert list((tmp_path / "reading").iterdir()) == []


def test_what_a_killed_worker_left_is_cleared_and_what_another_uses_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "reading"
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "text.txt").write_text("机密")
    place = tmp_path / "a.txt"
    place.write_text("正文。")
    first, second = ReadingApart(folder, Limits()), ReadingApart(folder, Limits())
    try:
        first.read(place, "a.txt", watch=lambda done, total: None)
        (own,) = folder.iterdir()
        second.read(place, "a.txt", watch=lambda done, total: None)
        assert own in folder.iterdir()
    finally:
        first.close()
        second.close()


# What crosses --------------------------------------------------------------------------------------------------------

GOOD = Reading(
    text="标题\n正文。",
    pages=(Page(1, Span(0, 3), "1"), Page(2, Span(3, 6), "2")),
    blocks=(Block(BlockKind.HEADING, Span(0, 2), level=1), Block(BlockKind.PARAGRAPH, Span(3, 6))),
    boxes=np.arange(24, dtype=np.float32).reshape(6, 4),
    outline=(OutlineEntry("标题", 1, 1),),
    properties={"title": "标题"},
    warnings=("One.",),
)


def written(folder: Path, reading: Reading = GOOD) -> None:
    names = ("said.json", "text.txt", "boxes.npy")
    outputs: Any = {name: (folder / name).open("wb") for name in names}
    write_reading(reading, outputs)
    for output in outputs.values():
        output.close()


def test_a_reading_crosses_unchanged(tmp_path: Path) -> None:
    written(tmp_path)
    back = read_back(tmp_path, Limits())
    assert back.boxes is not None
    np.testing.assert_array_equal(back.boxes, GOOD.boxes)
    for name in ("text", "pages", "blocks", "outline", "properties", "warnings"):
        assert getattr(back, name) == getattr(GOOD, name)


def test_an_error_crosses_with_its_words(tmp_path: Path) -> None:
    with (tmp_path / "said.json").open("wb") as said:
        write_error(EncryptedDocument("It is locked.", hint="Give the password.", page=3), {"said.json": said})
    with pytest.raises(EncryptedDocument, match=r"It is locked. Give the password.") as caught:
        read_back(tmp_path, Limits())
    assert caught.value.facts == {"page": 3}


def spoiled(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def act(folder: Path) -> None:
        said = json.loads((folder / "said.json").read_text())
        change(said)
        (folder / "said.json").write_text(json.dumps(said))

    return act


@pytest.mark.parametrize(
    "spoil",
    [
        spoiled(lambda said: said["reading"]["pages"].pop()),
        spoiled(lambda said: said["reading"]["pages"].reverse()),
        spoiled(lambda said: said["reading"]["blocks"].reverse()),
        spoiled(lambda said: said["reading"]["blocks"][1]["span"].update(end=700)),
        spoiled(lambda said: said["reading"]["blocks"][0]["span"].update(start=-1)),
        spoiled(lambda said: said["reading"]["outline"][0].update(page=3)),
        spoiled(lambda said: said["reading"].update(warnings=["x"] * 5000)),
        spoiled(lambda said: said["reading"].update(surprise=1)),
        spoiled(lambda said: said.update(reading=None, code="misconfigured", detail="No.")),
        spoiled(lambda said: said.update(reading=None)),
        lambda folder: (folder / "said.json").write_text("[" * 100_000),
        lambda folder: (folder / "said.json").unlink(),
        lambda folder: (folder / "text.txt").write_bytes(b"\xff\xfe"),
        lambda folder: (folder / "text.txt").write_text("标题\r正文。"),
        lambda folder: np.save(folder / "boxes.npy", np.zeros((5, 4), np.float32)),
        lambda folder: np.save(folder / "boxes.npy", np.zeros((6, 4), np.float64)),
        lambda folder: np.save(folder / "boxes.npy", np.array([{}], dtype=object), allow_pickle=True),
    ],
)
def test_what_does_not_hold_together_is_not_believed(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    written(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ParserCrashed):
        read_back(tmp_path, Limits())


def test_too_many_pages_are_refused_on_this_side_too(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(TooMuchToRead):
        read_back(tmp_path, Limits(max_pages=1))
