"""Watched folders: what is new comes in once it is whole, what changes is a new version, what is gone is reported, and a restart changes nothing."""

import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.intake import Outcome
from ingest.watch import Watcher
from tests.api_library import BASE, opened
from tests.workshop import Workshop, open_workshop
from xuesi.core.domain import Document, WatchedFile

QUIET_S = 10.0


class Watched:
    """A watched folder, a clock that is turned by hand, and a watcher that can be started anew."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop, self.folder, self.now_s = workshop, folder, 1_000.0
        self.restart()

    def restart(self) -> None:
        self.watcher = Watcher(
            intake=self.workshop.intake,
            catalogue=self.workshop.catalogue,
            folders=[self.folder],
            quiet_s=QUIET_S,
            without=self.workshop.settings.data_dir,
            clock=lambda: self.now_s,
        )

    def look(self, times: int = 1) -> None:
        """Look, and once more each time after all has been quiet long enough."""
        for _ in range(times):
            self.watcher.look()
            self.now_s += QUIET_S

    def put(self, name: str, text: str, *, at: int = 1_700_000_000) -> Path:
        """Write a file as of a second, so that no clock of a file system decides what counts as changed."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (at, at))
        return path

    def documents(self) -> list[Document]:
        """Oldest first."""
        rows, _ = self.workshop.catalogue.rows(limit=100)
        return [row.document for row in reversed(rows)]

    def versions(self, number: int = 0) -> int:
        """Of the document that came as this one."""
        return len(self.workshop.catalogue.versions(self.documents()[number].id))

    def row(self, path: Path) -> WatchedFile:
        return {it.path: it for it in self.workshop.catalogue.watched()}[str(path)]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "共享 folder"
    folder.mkdir()
    with open_workshop(tmp_path / "var") as workshop:
        yield Watched(workshop, folder)


def text(number: int) -> str:
    return f"第{number}份材料。调查研究是谋事之基、成事之道。"


def test_a_new_file_comes_in_once_it_has_been_quiet(watched: Watched) -> None:
    watched.put("通知/一.txt", text(1))
    watched.watcher.look()
    watched.now_s += QUIET_S / 2
    watched.put("通知/一.txt", text(1) + "还在写", at=1_700_000_005)
    watched.watcher.look()
    watched.now_s += QUIET_S - 1
    watched.watcher.look()
    assert watched.documents() == []
    watched.now_s += 1
    watched.watcher.look()
    assert [it.title for it in watched.documents()] == ["一"]
    watched.look(3)
    assert watched.versions() == 1


def test_a_changed_file_is_a_new_version_and_a_touched_one_is_not(watched: Watched) -> None:
    watched.put("一.txt", text(1))
    watched.look(2)
    watched.put("一.txt", text(1), at=1_700_000_100)
    watched.look(2)
    assert watched.versions() == 1
    watched.put("一.txt", text(2), at=1_700_000_200)
    watched.look(2)
    assert (len(watched.documents()), watched.versions()) == (1, 2)


def test_a_restart_changes_nothing(watched: Watched) -> None:
    watched.put("一.txt", text(1))
    watched.put("坏.exe", "MZ\0\0")
    watched.look(2)
    before = watched.workshop.catalogue.watched()
    watched.restart()
    watched.look(3)
    assert watched.workshop.catalogue.watched() == before
    assert (len(watched.documents()), watched.versions()) == (1, 1)


def test_a_file_that_is_gone_is_reported_and_its_document_kept(watched: Watched) -> None:
    path = watched.put("一.txt", text(1))
    watched.put("二.txt", text(2))
    watched.look(2)
    path.unlink()
    watched.look(2)
    (gone,) = watched.watcher.notable()
    assert gone.path == str(path)
    assert gone.missing_since is not None
    assert len(watched.documents()) == 2
    watched.put("一.txt", text(1))
    watched.look()
    assert watched.watcher.notable() == []
    path.unlink()
    watched.look()
    watched.workshop.catalogue.delete_document(watched.documents()[0].id, at=datetime.now(UTC))
    watched.look()
    assert [Path(it.path).name for it in watched.workshop.catalogue.watched()] == ["二.txt"]


@pytest.mark.parametrize("how", ["unmounted", "removed"])
def test_a_folder_that_cannot_be_reached_makes_no_file_missing(watched: Watched, tmp_path: Path, how: str) -> None:
    watched.put("一.txt", text(1))
    watched.look(2)
    watched.folder.rename(tmp_path / "away")
    if how == "unmounted":
        watched.folder.mkdir()
    watched.look()
    assert [it.reachable for it in watched.watcher.folders] == [False]
    assert watched.watcher.notable() == []
    if how == "unmounted":
        watched.folder.rmdir()
    (tmp_path / "away").rename(watched.folder)
    watched.look()
    assert [(it.reachable, it.files) for it in watched.watcher.folders] == [(True, 1)]
    assert watched.versions() == 1


def test_a_moved_file_stays_the_document_it_was(watched: Watched) -> None:
    path = watched.put("一.txt", text(1))
    watched.look(2)
    path.rename(watched.folder / "改名.txt")
    watched.look(2)
    assert watched.watcher.notable() == []
    watched.put("改名.txt", text(2), at=1_700_000_300)
    watched.look(2)
    assert (len(watched.documents()), watched.versions()) == (1, 2)


def test_a_copy_is_no_second_document_until_it_changes(watched: Watched) -> None:
    watched.put("一.txt", text(1))
    copy = watched.put("二.txt", text(1))
    watched.look(2)
    assert len(watched.documents()) == 1
    assert "already" in watched.row(copy).problem
    watched.put("二.txt", text(2), at=1_700_000_100)
    watched.look(2)
    assert (len(watched.documents()), watched.versions(), watched.versions(1)) == (2, 1, 1)
    assert watched.row(copy).problem == ""


def test_a_file_that_failed_is_not_tried_again_until_it_changes(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = watched.put("坏.txt", "\x7fELF\0\0")
    watched.look(2)
    assert "not supported" in watched.row(path).problem or "program" in watched.row(path).problem
    taken: list[str] = []
    take_all = watched.workshop.intake.take_all

    def counted(*arguments: Any, **named: Any) -> list[Outcome]:
        taken.append("")
        return take_all(*arguments, **named)

    monkeypatch.setattr(watched.workshop.intake, "take_all", counted)
    watched.look(3)
    assert taken == []
    watched.put("坏.txt", text(1), at=1_700_000_100)
    watched.look(2)
    assert (taken, watched.row(path).problem, len(watched.documents())) == ([""], "", 1)


def test_a_file_that_cannot_be_opened_is_tried_at_each_look(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    import ingest.watch

    path = watched.put("一.txt", text(1))
    with monkeypatch.context() as patch:

        def busy(*_: object) -> None:
            raise PermissionError(13, "in use by another program")

        patch.setattr(ingest.watch, "_opened", busy)
        watched.look(2)
    assert "in use" in watched.row(path).problem
    watched.look()
    assert (watched.row(path).problem, len(watched.documents())) == ("", 1)


def test_what_is_hidden_passing_linked_or_ours_is_left_out(watched: Watched, tmp_path: Path) -> None:
    for name in ("~$方案.docx", ".隐藏.txt", "a.tmp", "a.part", "a.crdownload", "~WRL0001.tmp", "a.txt~", ".git/a.txt"):
        watched.put(name, text(1))
    (tmp_path / "secret.txt").write_text(text(3), encoding="utf-8")
    (watched.folder / "链接.txt").symlink_to(tmp_path / "secret.txt")
    (watched.folder / "empty.txt").touch()
    os.mkfifo(watched.folder / "pipe.txt")
    watched.folder = tmp_path  # the data folder lies in it, with a file of its own
    watched.restart()
    (tmp_path / "var" / "notes.txt").write_text(text(4), encoding="utf-8")
    watched.look(2)
    assert [it.title for it in watched.documents()] == ["secret"]


def test_the_files_of_an_archive_come_in_and_those_that_cannot_are_named(watched: Watched) -> None:
    path = watched.folder / "材料.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("一.txt", text(1))
        archive.writestr("坏.exe", b"MZ\0\0")
    watched.look(2)
    assert [it.title for it in watched.documents()] == ["一"]
    assert watched.row(path).problem.startswith("材料.zip/坏.exe: ")


def test_a_name_that_is_no_text_is_taken(watched: Watched) -> None:
    (watched.folder / os.fsdecode("通知.txt".encode("gbk"))).write_text(text(1), encoding="utf-8")
    watched.look(2)
    assert len(watched.documents()) == 1
    watched.restart()
    watched.look(2)
    assert watched.versions() == 1


def test_the_state_of_the_folders_is_told_over_http_and_on_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "坏.txt").write_bytes(b"MZ\0\0")
    (folder / "一.txt").write_text(text(1), encoding="utf-8")
    facts = {"watched_folders": f"{folder}{os.pathsep}{tmp_path / 'nowhere'}", "watch_quiet_s": 0}
    with opened(tmp_path / "var", **facts) as services, TestClient(create_app(services), base_url=BASE) as client:
        before = client.get("/api/v1/watched").json()
        assert [it["reachable"] for it in before["folders"]] == [False, False]
        found = client.post("/api/v1/watched/look").json()
        assert [(it["reachable"], it["files"]) for it in found["folders"]] == [(True, 2), (False, 0)]
        assert [Path(it["path"]).name for it in found["items"]] == ["坏.txt"]
        page = client.get("/library", headers={"accept-language": "en"}).text
        assert str(folder) in page
        assert "坏.txt" in page
        assert "not reached" in page
