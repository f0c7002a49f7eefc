"""Is a removed document found no more at once, can it be restored in time, and is nothing of it left on the disk after its purge?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tantivy

from index.compact import Compactor
from index.publish import PURGED_FACT
from index.tokens import tokens
from ingest.queue import open_queue
from ingest.signature import signature
from tests.index_samples import Library, open_library
from xuesi.core.domain import (
    DocumentId,
    JobState,
    Page,
    PageHow,
    PageReport,
    Span,
    Suggestion,
    SuggestionSource,
    Version,
)
from xuesi.core.errors import DocumentNotFound, DuplicateDocument

MARKER = "鹧鸪镇瓷窑调研纪要编号七三九四"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def _remove(library: Library, version: Version, *, days: float) -> None:
    at = datetime.now(UTC)
    library.catalogue.delete_document(version.document_id, at=at, purge_after=at + timedelta(days=days))


def _compactor(library: Library) -> Compactor:
    return Compactor(catalogue=library.catalogue, indexes=library.indexes, publisher=library.publisher)


def _held(folder: Path, needles: dict[str, bytes]) -> set[str]:
    """Which of the needles stand in the bytes of any file of the folder, and where."""
    found = set()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found |= {f"{name} in {path.relative_to(folder)}" for name, needle in needles.items() if needle in data}
    return found


def _words_held(folder: Path, words: list[str]) -> set[str]:
    """Which of the words the lexical index has in its dictionaries, which are compressed, so that their bytes tell nothing."""
    held = set()
    for place in (folder / "lexical").iterdir():
        searcher = tantivy.Index.open(str(place)).searcher()
        held |= {word for word in words if searcher.doc_freq("body", word)}
    return held


def test_a_removed_document_is_hidden_at_once_and_found_again_when_it_is_restored(library: Library) -> None:
    old = library.publish("规定", ["旧的：每月一次。"])
    new = library.publish("规定", ["新的：每月两次。"], document_id=old.document_id)
    hits = library.searcher.search("每月两次").hits
    _remove(library, new, days=7)
    assert library.found("新的：每月两次。") == []
    assert library.publisher.step() == 1
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 0
    assert library.publisher.step() == 0
    restored = library.catalogue.restore_document(new.document_id, at=datetime.now(UTC))
    assert restored.deleted_at is None
    assert restored.purge_after is None
    assert library.publisher.step() == 2
    assert library.searcher.search("每月两次").hits == hits
    assert library.indexes.vectors.count() == library.indexes.lexical.count() == 2


def test_a_restored_document_can_be_removed_again(library: Library) -> None:
    version = library.publish("甲", ["来来回回。"])
    for _ in range(2):
        _remove(library, version, days=7)
        library.publisher.step()
        assert library.indexes.lexical.count() == 0
        library.catalogue.restore_document(version.document_id, at=datetime.now(UTC))
        library.publisher.step()
        assert library.found("来来回回") == ["来来回回。"]
    _remove(library, version, days=0)
    library.publisher.step()
    assert library.catalogue.deleted() == []


def test_what_is_purged_or_was_never_removed_cannot_be_restored(library: Library) -> None:
    kept, gone = library.publish("甲", ["在。"]), library.publish("乙", ["不在。"])
    _remove(library, gone, days=0)
    for document_id in (kept.document_id, gone.document_id, DocumentId("nobody")):
        with pytest.raises(DocumentNotFound):
            library.catalogue.restore_document(document_id, at=datetime.now(UTC))
    with pytest.raises(DocumentNotFound):
        library.catalogue.expire(kept.document_id)


def test_after_the_purge_no_byte_of_the_document_is_left_and_the_rest_answers(library: Library, tmp_path: Path) -> None:
    kept = library.hand_over("留存的文件", [f"留存的第{i}段，讲别的事情。" for i in range(30)])
    gone = library.hand_over(MARKER, [f"{MARKER}，第{i}条：座谈记录。" for i in range(30)])
    library.publisher.step()  # both with one commit, into one segment
    vector = np.array(library.files.vectors(gone, "words-64")[3])
    telling = [token for token in tokens(MARKER) if len(token) > 1]
    assert len(telling) > 5
    needles = {
        "utf-8": MARKER.encode(),
        "utf-16": MARKER.encode("utf-16-le"),
        "json": MARKER.encode("unicode_escape"),
        "vector": vector.tobytes(),
        "id": gone.document_id.encode(),
        "passage": library.catalogue.passages(gone.id)[0].id.encode(),
        **{token: token.encode() for token in telling},
    }
    before = _held(tmp_path, needles)
    places = " ".join(before)
    for name in ("utf-8 in catalogue", "vector in vectors/", "vector in files/", "passage in vectors/"):
        assert name in places, f"the search for {name} would prove nothing"

    _remove(library, gone, days=7)
    library.publisher.step()
    assert not _compactor(library).step()  # it can still be restored
    library.catalogue.expire(gone.document_id)
    library.publisher.step()
    assert library.catalogue.get_fact(PURGED_FACT)
    assert _words_held(tmp_path, telling) == set(telling)
    assert _compactor(library).step()
    assert _held(tmp_path, needles) == set()
    assert _words_held(tmp_path, telling) == set()
    assert not library.catalogue.get_fact(PURGED_FACT)
    assert library.found("留存的第7段", limit=1) == ["留存的第7段，讲别的事情。"]
    assert library.files.original(kept.sha256).exists()


def test_what_was_found_out_about_a_document_and_what_others_tell_of_it_leaves_with_it(
    library: Library, tmp_path: Path
) -> None:
    """Suggestions, signature, near duplicates, topics, page reports, quality, jobs' reasons, the queue's messages, and the title in others' jobs."""
    queue = open_queue("", tmp_path)
    facts: dict[str, Any] = {"issuer": f"{MARKER}局", "topics": (f"{MARKER}专题",), "document_number": f"{MARKER}号"}
    kept = library.publish("留存的文件", ["留存的一段。"])
    gone = library.hand_over(MARKER, [f"{MARKER}的正文。"], **facts)
    same = signature(f"{MARKER}的正文。" * 20)
    found = [Suggestion("issuer", f"{MARKER}局", SuggestionSource.FIRST_PAGE, f"{MARKER}局印发")]
    library.catalogue.save_findings(kept.id, text=same, suggestions=(), refuse_same=False)
    library.catalogue.save_findings(gone.id, text=same, suggestions=found, refuse_same=False)
    library.catalogue.save_reading(
        gone.id,
        pages=[Page(1, Span(0, 10), MARKER)],
        passages=library.catalogue.passages(gone.id),
        chars=50,
        quality={"warnings": [MARKER], "left_out": [{"what": "watermark", "text": MARKER, "pages": [1]}]},
        report=[PageReport(1, PageHow.TEXT, 10, 0.0, 0.0, "zh", MARKER)],
    )
    library.publisher.step()
    assert len(library.catalogue.near_duplicates()) == 1
    again = library.embed_anew(gone)
    reason: dict[str, Any] = {"error_code": "internal-error", "error_detail": f"{MARKER}.pdf: {MARKER}"}
    library.catalogue.finish_job(again.id, state=JobState.FAILED, now=datetime.now(UTC), **reason)
    queue.wake(again.id)
    twin = library.hand_over("同一内容", ["别的文件。"])
    with pytest.raises(DuplicateDocument) as refused:
        library.catalogue.save_findings(twin.id, text=same, suggestions=())
    (waiting,) = library.catalogue.handed_over()
    told: dict[str, Any] = {"error_code": refused.value.code, "error_detail": refused.value.detail.replace("留存的文件", MARKER).replace(kept.document_id, gone.document_id)}  # fmt: skip
    library.catalogue.finish_job(waiting.id, state=JobState.FAILED, now=datetime.now(UTC), **told)
    needles = {"text": MARKER.encode(), "json": json.dumps(MARKER).strip('"').encode(), "minhash": same.minhash[:64]}
    before = " ".join(_held(tmp_path, needles))
    assert "text in catalogue" in before
    assert "json in catalogue" in before

    library.catalogue.save_findings(kept.id, text=signature("留存的一段。"), suggestions=())
    _remove(library, gone, days=0)
    library.publisher.step()
    assert _compactor(library).step()
    assert _held(tmp_path, needles) == set()
    assert "removed since" in library.catalogue.job(waiting.id).error_detail
    assert library.catalogue.faults() == []
    queue.close()


def test_purges_are_gathered_unless_somebody_asks_for_one_at_once(library: Library) -> None:
    compactor = _compactor(library)
    for days, expected in ((-1, True), (-1, False), (0, True)):
        version = library.publish("甲", [f"将要清除 {days} {expected}。"])
        _remove(library, version, days=days)
        library.publisher.step()
        assert compactor.step() is expected
    assert not compactor.step()


def test_a_purge_that_was_not_compacted_is_after_a_restart(tmp_path: Path) -> None:
    with open_library(tmp_path) as library:
        version = library.publish(MARKER, [MARKER])
        _remove(library, version, days=0)
        library.publisher.step()
    with open_library(tmp_path) as library:
        assert _compactor(library).step()
    assert _held(tmp_path, {"utf-8": MARKER.encode(), "token": "鹧鸪".encode()}) == set()


def test_nothing_is_lost_when_more_is_purged_during_the_rewriting(library: Library, tmp_path: Path) -> None:
    first, second = library.publish("甲", ["先走的。"]), library.publish("乙", [MARKER])
    _remove(library, first, days=0)
    library.publisher.step()
    compactor, compact = _compactor(library), library.catalogue.compact

    def purge_meanwhile() -> None:
        compact()
        _remove(library, second, days=0)
        library.publisher.step()

    library.catalogue.compact = purge_meanwhile  # type: ignore[method-assign]
    assert compactor.step()
    library.catalogue.compact = compact  # type: ignore[method-assign]
    assert compactor.step()
    assert _held(tmp_path, {"utf-8": MARKER.encode(), "token": "鹧鸪".encode()}) == set()


def test_the_same_bytes_added_while_the_document_waits_for_its_purge_stay(library: Library) -> None:
    gone, fresh = library.publish("甲", ["同样的字节。"]), library.publish("乙", ["另一份。"])
    data = library.files.original(gone.sha256).read_bytes()
    _remove(library, gone, days=0)
    again = library.hand_over("丙", ["同样的字节。"], data=data)
    assert again.sha256 == gone.sha256
    library.publisher.step()
    assert library.files.original(again.sha256).read_bytes() == data
    assert library.files.original(fresh.sha256).exists()
    assert library.found("同样的字节", limit=1) == ["同样的字节。"]
