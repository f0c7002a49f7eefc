"""Are the indexes made anew from the catalogue and the files, while the old ones answer?"""

import logging
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index import indexes, lexical
from index.indexes import Indexes
from index.rebuild import rebuild, renew
from tests.index_samples import Library, open_library
from xuesi.core.errors import IndexCorrupt, IndexMismatch, WrongState


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def _rebuild(library: Library) -> tuple[int, int, int]:
    done = rebuild(library.indexes, catalogue=library.catalogue, publisher=library.publisher)
    return done.versions, done.passages, len(done.skipped)


def _folders(folder: Path) -> list[str]:
    return sorted(path.name for kind in ("vectors", "lexical") for path in (folder / kind).iterdir())


def test_new_indexes_answer_as_the_old_ones(library: Library, tmp_path: Path) -> None:
    old = library.publish("甲", ["每月学习一次。", "调查研究要深入。"])
    library.publish("甲", ["每月学习两次。"], document_id=old.document_id)
    before = library.searcher.search("每月学习").hits
    assert _rebuild(library) == (2, 3, 0)
    assert library.searcher.search("每月学习").hits == before
    assert _folders(tmp_path) == ["2", "2"]
    library.publish("乙", ["重建以后公布。"])
    assert library.found("重建以后公布", limit=1) == ["重建以后公布。"]


def test_what_is_published_and_deleted_meanwhile_is_in_force_afterwards(library: Library) -> None:
    library.publish("甲", ["先前公布。"])
    gone = library.publish("乙", ["即将删除。"])
    with library.indexes.building() as new:
        library.publish("丙", ["重建之中公布。"])
        assert library.found("重建之中公布", limit=1) == ["重建之中公布。"]  # the old ones answer
        assert new.lexical.count() == 1
        library.catalogue.delete_document(gone.document_id, at=datetime.now(UTC))
        library.publisher.step()
        with pytest.raises(WrongState):
            _rebuild(library)
    assert library.found("公布") == ["重建之中公布。"]
    assert _rebuild(library) == (2, 2, 0)
    assert set(library.found("公布")) == {"重建之中公布。", "先前公布。"}


def test_a_rebuild_that_fails_leaves_the_old_indexes_in_force(library: Library, tmp_path: Path) -> None:
    library.publish("甲", ["一直都在。"])
    other = library.publish("乙", ["别的模型。"])
    library.embed(other, fingerprint="another-model")
    with pytest.raises(IndexMismatch, match="another-model"):
        _rebuild(library)
    assert set(library.found("一直都在")) == {"一直都在。", "别的模型。"}
    assert _folders(tmp_path) == ["1", "1"]


def test_a_version_without_vectors_is_skipped_and_named(library: Library, tmp_path: Path) -> None:
    library.publish("甲", ["完好。"])
    broken = library.publish("乙", ["破损。"])
    shutil.rmtree(tmp_path / "files" / broken.sha256 / broken.id)
    done = rebuild(library.indexes, catalogue=library.catalogue, publisher=library.publisher)
    assert done.versions == done.passages == 1
    assert broken.document_id in done.skipped[0]


def test_indexes_of_other_tokens_are_renewed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with monkeypatch.context() as earlier:
        earlier.setattr(indexes, "FORM", "1")
        earlier.setattr(lexical, "tokens", list)
        with open_library(tmp_path) as library:
            library.publish("甲", ["会议在二〇二三年四月举行。"])
    with open_library(tmp_path) as library:
        assert library.indexes.outdated
        assert library.indexes.lexical.search(library.indexes.lexical.parse("2023"), limit=1) == []
        for folders in (["2", "2"], ["2", "2"]):
            renew(threading.Event(), indexes=library.indexes, catalogue=library.catalogue, publisher=library.publisher)
            assert not library.indexes.outdated
            assert _folders(tmp_path) == folders
        assert len(library.indexes.lexical.search(library.indexes.lexical.parse("2023"), limit=1)) == 1
    assert "1 passages" in caplog.text


def test_indexes_that_cannot_be_renewed_go_on_answering(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    library.publish("甲", ["一直都在。"])
    library.catalogue.set_fact("token_form", "1")
    with library.indexes.building():
        renew(threading.Event(), indexes=library.indexes, catalogue=library.catalogue, publisher=library.publisher)
        assert "next start" in caplog.text
        assert library.found("一直都在") == ["一直都在。"]


def test_what_an_interrupted_rebuild_left_is_cleared_away(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        library.publish("甲", ["还在。"])
    for kind in ("vectors", "lexical"):
        (tmp_path / kind / "2").mkdir()
        (tmp_path / kind / "2" / "half").write_text("written")
    with open_library(tmp_path) as library:
        assert library.found("还在") == ["还在。"]
    assert _folders(tmp_path) == ["1", "1"]


@pytest.mark.parametrize(("kind", "file"), [("vectors", "chroma.sqlite3"), ("lexical", "meta.json")])
def test_damaged_indexes_are_named_and_can_be_replaced(tmp_path: Path, kind: str, file: str) -> None:
    with open_library(tmp_path) as library:
        library.publish("甲", ["可以重建。"])
    (tmp_path / kind / "1" / file).write_bytes(b"no index" * 500)
    with pytest.raises(IndexCorrupt, match=f"{kind}/1") as refused, open_library(tmp_path):
        pass
    assert "xuesi reindex" in refused.value.hint
    with open_library(tmp_path, replace_damaged=True) as library:
        assert isinstance(library.indexes, Indexes)
        assert library.found("重建") == []
        assert _rebuild(library) == (1, 1, 0)
        assert library.found("重建") == ["可以重建。"]
    with open_library(tmp_path) as library:
        assert library.found("重建") == ["可以重建。"]
