"""Does a version become visible exactly when both indexes hold it, and go when it should?"""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from index.indexes import Entries
from tests.index_samples import Library, open_library
from xuesi.core.domain import DocumentId, Filters, JobState, VersionState
from xuesi.core.errors import FileMissing
from xuesi.core.ports import LexicalEntry


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def test_a_version_is_found_only_after_it_was_published(library: Library) -> None:
    version = library.hand_over("读书班手册", ["读书班每期五天。"])
    assert library.found("读书班") == []
    assert library.publisher.step() == 1
    assert library.found("读书班") == ["读书班每期五天。"]
    assert library.catalogue.version_by_id(version.id).state == VersionState.LIVE
    assert library.catalogue.jobs(limit=10)[0][0].state == JobState.DONE
    assert library.publisher.step() == 0


def test_what_the_indexes_hold_before_the_catalogue_says_so_is_not_shown(library: Library) -> None:
    version = library.hand_over("手册", ["还没有公布。"])
    library.publisher.index([version])  # as after a crash between the indexes and the catalogue
    assert library.found("没有公布") == []
    library.publisher.step()
    assert library.found("没有公布") == ["还没有公布。"]
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 1


def test_a_new_version_takes_the_place_of_the_old_one_which_stays_in_the_indexes(library: Library) -> None:
    old = library.publish("规定", ["每月集中学习一次。"])
    library.publish("规定", ["每月集中学习两次。"], document_id=old.document_id)
    assert library.found("每月集中学习") == ["每月集中学习两次。"]
    assert library.catalogue.version_by_id(old.id).state == VersionState.RETIRED
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 2


def test_a_deleted_document_is_hidden_at_once_and_then_leaves_no_trace(library: Library) -> None:
    gone, kept = library.publish("甲", ["数据孤岛的成因。"]), library.publish("乙", ["数据孤岛的对策。"])
    library.catalogue.delete_document(gone.document_id, at=datetime.now(UTC))
    assert library.found("数据孤岛") == ["数据孤岛的对策。"]
    assert library.publisher.step() == 1
    assert list(library.indexes.vectors.ids()) == list(library.indexes.lexical.ids())
    assert library.indexes.vectors.count() == 1
    assert library.catalogue.deleted() == []
    assert not library.catalogue.has_original(gone.sha256)
    assert library.files.original(kept.sha256).exists()
    with pytest.raises(FileMissing):
        library.files.original(gone.sha256)


def test_one_broken_version_fails_with_its_reason_and_the_others_go_live(library: Library, tmp_path: Path) -> None:
    bad = library.hand_over("坏", ["向量不见了。"])
    other_model = library.hand_over("别的模型", ["别的模型。"])
    library.embed(other_model, fingerprint="another-model")
    good = library.hand_over("好", ["一切正常。"])
    shutil.rmtree(tmp_path / "files" / bad.sha256 / bad.id)
    assert library.publisher.step() == 3
    assert library.found("一切正常") == ["一切正常。"]
    assert library.catalogue.version_by_id(good.id).state == VersionState.LIVE
    failed = {job.version_id: job for job in library.catalogue.jobs(state=JobState.FAILED, limit=10)[0]}
    assert failed[bad.id].error_code == "file-missing"
    assert failed.keys() == {bad.id}
    assert library.catalogue.version_by_id(bad.id).state == VersionState.FAILED
    (again,) = library.catalogue.waiting_jobs(now=datetime.now(UTC))  # a worker embeds it with the model in force
    assert (again.version_id, again.error_code) == (other_model.id, "index-mismatch")
    assert library.publisher.step() == 0
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 1


def test_what_nobody_foresaw_fails_its_version_with_a_code_that_is_explained(library: Library) -> None:
    version = library.hand_over("意外", ["意外的内容。"])

    def fail(entries: Callable[[str], Sequence[Entries]]) -> None:
        raise RuntimeError(entries)

    library.indexes.add = fail  # type: ignore[method-assign]
    library.publisher.step()
    (failed,) = library.catalogue.jobs(state=JobState.FAILED, limit=10)[0]
    assert (failed.version_id, failed.error_code) == (version.id, "internal-error")


def test_a_changed_title_is_searched_after_the_passages_were_embedded_anew(library: Library) -> None:
    version = library.publish("旧题目", ["内容不变。"])
    library.catalogue.update_document(version.document_id, {"title": "督导工作"})
    assert library.indexes.lexical.search(library.indexes.lexical.parse("督导"), limit=5) == []
    job = library.embed_anew(version)
    assert library.publisher.step() == 1
    assert library.catalogue.job(job.id).state == JobState.DONE
    assert len(library.indexes.lexical.search(library.indexes.lexical.parse("督导"), limit=5)) == 1
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 1
    assert library.catalogue.version_by_id(version.id).state == VersionState.LIVE


def test_a_version_cancelled_while_it_was_taken_in_does_not_stay_in_the_indexes(library: Library) -> None:
    version = library.hand_over("取消", ["取消的内容。"])
    add = library.indexes.add

    def add_then_cancel(entries: Callable[[str], Sequence[Entries]]) -> None:
        add(entries)
        job = library.catalogue.handed_over()[0]
        library.catalogue.finish_job(job.id, state=JobState.CANCELLED, now=datetime.now(UTC))

    library.indexes.add = add_then_cancel  # type: ignore[method-assign]
    library.publisher.step()
    assert library.catalogue.version_by_id(version.id).state == VersionState.CANCELLED
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 0


def test_restored_and_removed_again_within_one_step_it_leaves_the_indexes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    version = library.publish("去留", ["恢复以后又删除。"])

    def remove() -> None:
        library.catalogue.delete_document(version.document_id, at=now, purge_after=now + timedelta(days=7))

    remove()
    library.publisher.step()
    library.catalogue.restore_document(version.document_id, at=now)
    with monkeypatch.context() as patch:
        clean = library.publisher._clean

        def removed_just_before() -> int:
            remove()
            return clean()

        patch.setattr(library.publisher, "_clean", removed_just_before)
        library.publisher.step()
    assert library.publisher.to_forget() == set()
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 0


def test_two_steps_at_once_purge_a_document_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    version = library.publish("一次", ["只清除一次。"])
    library.catalogue.delete_document(version.document_id, at=datetime.now(UTC))
    begun, go_on, purge = threading.Event(), threading.Event(), library.catalogue.purge

    def slow(document_id: DocumentId) -> None:
        begun.set()
        go_on.wait(1)
        purge(document_id)

    monkeypatch.setattr(library.catalogue, "purge", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(library.publisher.step)
        assert begun.wait(30)
        second = pool.submit(library.publisher.step)
        assert [first.result(30), second.result(30)] == [1, 0]


def test_many_small_versions_take_one_commit(library: Library) -> None:
    for i in range(30):
        library.hand_over(f"文件{i}", [f"第{i}号文件的内容。"])
    commits = []
    add = library.indexes.lexical.add

    def counted(entries: Sequence[LexicalEntry]) -> None:
        commits.append(len(entries))
        add(entries)

    library.indexes.lexical.add = counted  # type: ignore[method-assign]
    assert library.publisher.step() == 30
    assert commits == [30]
    assert library.catalogue.counts()["live_versions"] == 30


def test_the_publisher_works_beside_searches_until_it_is_told_to_stop(library: Library) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=library.publisher.run_forever, args=(stop,))
    thread.start()
    try:
        for i in range(20):
            library.hand_over("并行", [f"并行发布的第{i}段。"])
            library.found("并行发布")
        wait = threading.Event()
        for _ in range(100):
            if library.catalogue.counts()["live_versions"] == 20:
                break
            wait.wait(0.1)
        assert len(library.found("并行发布", limit=30)) == 20
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_what_was_published_is_found_after_a_restart(tmp_path: Path) -> None:
    with open_library(tmp_path) as first:
        version = first.publish("重启", ["重启以后还在。"])
        first.hand_over("重启", ["等着公布。"])
    with open_library(tmp_path) as second:
        assert second.found("重启以后") == ["重启以后还在。"]
        second.publisher.step()
        assert set(second.found("公布", limit=5)) == {"等着公布。", "重启以后还在。"}
        second.catalogue.delete_document(version.document_id, at=datetime.now(UTC))
        second.publisher.step()
        assert second.found("重启") == ["等着公布。"]
        assert second.found("重启", filters=Filters(document_id=(version.document_id,))) == []
