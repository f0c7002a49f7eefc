"""What must the store of files keep, whole or not at all?"""

import hashlib
import io
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.catalogue.files import FileStore
from index.catalogue.texts import Texts
from tests.library import a_document, a_version
from tests.small_disk import on_a_small_disk
from xuesi.core.domain import OutlineEntry, Page, Span, Version
from xuesi.core.errors import Corrupt, DataFolderReadOnly, DocumentTooLarge, EmptyFile, FileMissing
from xuesi.core.ports import Files, Floats, Reading, SentenceVectors, StoredFile, TokenCodes


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.fixture
def version() -> Version:
    return a_version(a_document())


def put_original(store: FileStore, source: BinaryIO, *, limit_bytes: int) -> StoredFile:
    """An original that a version has."""
    with store.put_original(source, limit_bytes=limit_bytes, wanted=lambda _: True) as stored:
        return stored


def everything(store: FileStore) -> list[Path]:
    return [path for path in store._folder.rglob("*") if path.is_file()]


def a_reading(text: str, boxes: Floats | None = None) -> Reading:
    outline = (OutlineEntry("第一章 “总则”", 1, 1),)
    return Reading(text=text, pages=(Page(1, Span(0, len(text)), "1"),), blocks=(), boxes=boxes, outline=outline)


def some_vectors(count: int, *, of: float) -> tuple[Floats, SentenceVectors]:
    passages = np.full((count, 4), of, np.float32)
    spans = np.array([(i, i + 1) for i in range(2 * count)], np.int32).reshape(-1, 2)
    ordinals = np.repeat(np.arange(count, dtype=np.int32), 2)
    return passages, SentenceVectors(spans, ordinals, np.full((2 * count, 4), of, np.float16))


def test_it_is_a_store_of_files(store: FileStore, version: Version) -> None:
    def ask(port: Files) -> Mapping[str, str | None]:
        return port.embedded(version)

    assert ask(store) == {}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=300))
def test_an_original_comes_back_byte_for_byte(store: FileStore, content: bytes) -> None:
    stored = put_original(store, io.BytesIO(content), limit_bytes=300)
    assert (stored.sha256, stored.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert store.original(stored.sha256).read_bytes() == content


class _Endless(io.RawIOBase):
    """A source that never ends, and tells how much of it was read."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b"x" * size


class _Broken(io.RawIOBase):
    """A source whose connection breaks."""

    def __init__(self) -> None:
        self.left = 3

    def read(self, size: int = -1) -> bytes:
        self.left -= 1
        if not self.left:
            raise ConnectionResetError
        return b"x" * size


def test_of_a_refused_file_nothing_is_left(store: FileStore) -> None:
    with pytest.raises(EmptyFile):
        put_original(store, io.BytesIO(), limit_bytes=10)
    with pytest.raises(DocumentTooLarge) as told:
        put_original(store, io.BytesIO(b"x" * 11), limit_bytes=10)
    assert told.value.facts["limit_bytes"] == 10
    endless = _Endless()
    with pytest.raises(DocumentTooLarge):
        put_original(store, cast("BinaryIO", endless), limit_bytes=3_000_000)
    assert endless.taken < 6_000_000
    with pytest.raises(ConnectionResetError):
        put_original(store, cast("BinaryIO", _Broken()), limit_bytes=10**9)
    assert everything(store) == []
    assert put_original(store, io.BytesIO(b"x" * 10), limit_bytes=10).bytes == 10


def test_the_same_bytes_many_times_at_once_are_kept_once(store: FileStore) -> None:
    content = bytes(range(256)) * 20_000
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: put_original(store, io.BytesIO(content), limit_bytes=10**8), range(16)))
    assert len(set(stored)) == 1
    (place,) = everything(store)
    assert place.read_bytes() == content


def test_what_is_missing_is_named(store: FileStore, version: Version) -> None:
    with pytest.raises(FileMissing, match=version.sha256):
        store.original(version.sha256)
    for ask in (store.text, store.outline):
        with pytest.raises(FileMissing, match=version.sha256):
            ask(version)
    for ask_of in (store.vectors, store.sentences):
        with pytest.raises(FileMissing, match=version.sha256):
            ask_of(version, "e5")
    assert store.boxes(version) is None
    assert store.embedded(version) == {}


def test_tokens_come_back_with_the_vectors_they_came_with(store: FileStore, version: Version) -> None:
    passages, sentences = some_vectors(2, of=1.0)
    with pytest.raises(FileMissing, match=version.sha256):
        store.tokens(version, "e5")
    codes, starts = np.arange(280, dtype=np.uint8).reshape(7, 40), np.array([0, 3, 7])
    tokens = TokenCodes(codes, starts.astype(np.int32))
    store.put_vectors(version, fingerprint="e5", title="", passages=passages, sentences=sentences, tokens=tokens)
    found = store.tokens(version, "e5")
    assert found is not None
    np.testing.assert_array_equal(found.of(1), codes[3:])
    store.put_vectors(version, fingerprint="e5", title="", passages=passages, sentences=sentences)
    assert store.tokens(version, "e5") is None


def test_vectors_cut_short_are_said_to_be_damaged(store: FileStore, version: Version) -> None:
    passages, sentences = some_vectors(2, of=1.0)
    store.put_vectors(version, fingerprint="e5", title="", passages=passages, sentences=sentences)
    for place in store._folder.rglob("*.npy"):
        place.write_bytes(place.read_bytes()[:-4])
    for ask_of in (store.vectors, store.sentences):
        with pytest.raises(Corrupt, match="damaged"):
            ask_of(version, "e5")


TEXT = "第一章\n“引号”、emoji 🙂👨‍👩‍👧 and a\ttab\n末行"


def test_a_reading_comes_back(store: FileStore, version: Version) -> None:
    boxes = np.arange(len(TEXT) * 4, dtype=np.float32).reshape(-1, 4)
    boxes[3] = np.nan
    reading = a_reading(TEXT, boxes)
    store.put_reading(version, reading)
    assert store.text(version) == TEXT
    assert store.outline(version) == reading.outline
    found = store.boxes(version)
    assert isinstance(found, np.memmap)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, boxes)


def test_a_reading_replaces_the_one_before(store: FileStore, version: Version) -> None:
    store.put_reading(version, a_reading("以前的文字", np.zeros((5, 4), np.float32)))
    assert store.text(version) == "以前的文字"
    store.put_reading(version, a_reading("现在"))
    assert store.text(version) == "现在"
    assert store.boxes(version) is None
    assert FileStore(store._folder).text(version) == "现在"


def test_versions_of_the_same_bytes_have_readings_of_their_own(store: FileStore, version: Version) -> None:
    twin = a_version(a_document(), sha256=version.sha256)
    store.put_reading(version, a_reading("甲"))
    store.put_reading(twin, a_reading("乙"))
    assert (store.text(version), store.text(twin)) == ("甲", "乙")


@pytest.mark.parametrize("count", [0, 1, 50])
def test_vectors_come_back_mapped(store: FileStore, version: Version, count: int) -> None:
    passages, sentences = some_vectors(count, of=0.5)
    store.put_vectors(version, fingerprint="e5 “小”", title="题目", passages=passages, sentences=sentences)
    assert store.embedded(version) == {"e5 “小”": "题目"}
    found, its = store.vectors(version, "e5 “小”"), store.sentences(version, "e5 “小”")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, passages)
    for kept, given_ in (
        (its.spans, sentences.spans),
        (its.passages, sentences.passages),
        (its.vectors, sentences.vectors),
    ):
        assert kept.dtype == given_.dtype
        np.testing.assert_array_equal(kept, given_)


def test_new_vectors_replace_the_old_and_those_in_use_stay_readable(store: FileStore, version: Version) -> None:
    passages, sentences = some_vectors(3, of=0.25)
    store.put_vectors(version, fingerprint="e5", title="甲", passages=passages, sentences=sentences)
    in_use = store.vectors(version, "e5")
    passages, sentences = some_vectors(5, of=0.75)
    store.put_vectors(version, fingerprint="e5", title="乙", passages=passages, sentences=sentences)
    assert (store.embedded(version), store.vectors(version, "e5").shape) == ({"e5": "乙"}, (5, 4))
    assert in_use.sum() == 3
    assert len(everything(store)) == 5  # four arrays and the file that names their folder


def test_vectors_of_two_models_lie_side_by_side_until_one_is_dropped(store: FileStore, version: Version) -> None:
    for model, count in (("e5", 3), ("bge", 5)):
        passages, sentences = some_vectors(count, of=1.0)
        store.put_vectors(version, fingerprint=model, title="甲", passages=passages, sentences=sentences)
    assert store.embedded(version) == {"e5": "甲", "bge": "甲"}
    assert [len(store.vectors(version, model)) for model in ("e5", "bge")] == [3, 5]
    size = store.vector_bytes(version)
    assert size["e5"] < size["bge"]
    held = sum(path.stat().st_size for path in everything(store) if path.suffix == ".npy")
    assert held == sum(size.values())
    assert store.drop_vectors(version, keep={"bge"}) == size["e5"]
    assert store.drop_vectors(version, keep={"bge"}) == 0
    assert sum(path.stat().st_size for path in everything(store) if path.suffix == ".npy") == size["bge"]
    assert len(store.vectors(version, "bge")) == 5
    with pytest.raises(FileMissing):
        store.vectors(version, "e5")


def test_two_who_bring_vectors_of_two_models_at_once_lose_none(store: FileStore, version: Version) -> None:
    passages, sentences = some_vectors(2, of=1.0)

    def bring(model: str) -> None:
        for _ in range(20):
            store.put_vectors(version, fingerprint=model, title="", passages=passages, sentences=sentences)

    threads = [Thread(target=bring, args=(model,)) for model in ("e5", "bge", "m3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.embedded(version).keys() == {"e5", "bge", "m3"}
    assert len(everything(store)) == 3 * 4 + 1


def test_vectors_as_they_were_kept_before_are_read_and_kept(store: FileStore, version: Version) -> None:
    passages, sentences = some_vectors(3, of=1.0)
    store.put_vectors(version, fingerprint="e5", title="甲", passages=passages, sentences=sentences)
    (named,) = store._folder.rglob("vectors.json")
    folder = json.loads(named.read_bytes())["e5"]["folder"]
    named.write_text(json.dumps({"folder": folder, "fingerprint": "e5"}))
    assert store.embedded(version) == {"e5": None}
    assert len(store.vectors(version, "e5")) == 3
    store.put_vectors(version, fingerprint="bge", title="甲", passages=passages, sentences=sentences)
    assert store.embedded(version) == {"e5": None, "bge": "甲"}


def test_one_at_a_time_makes_vectors_of_a_version_in_the_background(store: FileStore, version: Version) -> None:
    with store.filling(version) as first, FileStore(store._folder).filling(version) as second:
        assert (first, second) == (True, False)
    with store.filling(version) as again:
        assert again


def test_a_reader_never_sees_vectors_that_do_not_fit_each_other(store: FileStore, version: Version) -> None:
    over = Event()

    def write() -> None:
        for i in range(60):
            count = i % 5 + 1
            passages, sentences = some_vectors(count, of=float(count))
            store.put_vectors(version, fingerprint="x", title="", passages=passages, sentences=sentences)
        over.set()

    passages, sentences = some_vectors(1, of=1.0)
    store.put_vectors(version, fingerprint="x", title="", passages=passages, sentences=sentences)
    thread = Thread(target=write)
    thread.start()
    while not over.is_set():
        its = store.sentences(version, "x")
        assert len(its.spans) == len(its.passages) == len(its.vectors) == 2 * its.vectors[0, 0]
    thread.join()


def test_what_was_made_of_a_version_is_removed_and_the_original_only_when_nobody_wants_it(store: FileStore) -> None:
    stored = put_original(store, io.BytesIO(b"abc"), limit_bytes=9)
    one, two = (a_version(a_document(), sha256=stored.sha256) for _ in range(2))
    for version in (one, two):
        store.put_reading(version, a_reading("甲"))
    store.remove(one)
    store.remove_original(one.sha256, wanted=lambda _: True)
    assert store.original(stored.sha256).read_bytes() == b"abc"
    assert store.text(two) == "甲"
    with pytest.raises(FileMissing):
        store.text(one)
    for _ in range(2):
        store.remove(two)
        store.remove_original(two.sha256, wanted=lambda _: False)
    assert list(store._folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil", "a/b", "..", ""])
def test_ids_never_lead_out_of_the_folder(store: FileStore, name: str) -> None:
    with pytest.raises(AssertionError):
        store.put_reading(a_version(a_document(), id=name), a_reading("甲"))
    with pytest.raises(AssertionError):
        store.original(name)


def test_texts_are_kept_up_to_their_limit(tmp_path: Path) -> None:
    texts = Texts(kept_chars=25)
    places = [tmp_path / str(i) for i in range(4)]
    for place in places:
        place.write_text("十个字的一段文字在此", encoding="utf-8")
    for place in places:
        assert texts.read(place) == "十个字的一段文字在此"
    assert list(texts._texts) == places[2:]
    assert texts.read(places[3]) is texts.read(places[3])


@pytest.mark.skipif(sys.platform != "linux", reason="/sys refuses every user on Linux only")
def test_a_folder_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(DataFolderReadOnly):
        FileStore(Path("/sys/xuesi/files"))


_ON_A_FULL_DISK = """
import io, json, sys
from pathlib import Path
import numpy as np
from index.catalogue.files import FileStore
from tests.contract.test_files import a_reading, put_original, some_vectors
from tests.library import a_document, a_version
from xuesi.core.errors import StorageFull

store, told = FileStore(Path(sys.argv[1]) / "files"), []
version = a_version(a_document())
passages, sentences = some_vectors(100_000, of=1.0)
for put in (
    lambda: put_original(store, io.BytesIO(b"x" * 2_000_000), limit_bytes=10**9),
    lambda: store.put_reading(version, a_reading("x" * 2_000_000)),
    lambda: store.put_vectors(version, fingerprint="x", title="", passages=passages, sentences=sentences),
):
    try:
        put()
    except StorageFull as error:
        told.append(str(error))
print(json.dumps([told, [p.name for p in store._folder.rglob("*") if p.is_file()], put_original(store, io.BytesIO(b"x"), limit_bytes=9).bytes]))
"""


def test_a_full_disk_is_reported_and_nothing_half_written_stays(tmp_path: Path) -> None:
    """On a disk of half a megabyte."""
    told, left, taken = on_a_small_disk(tmp_path, _ON_A_FULL_DISK)
    assert len(told) == 3
    assert all("no space left" in sentence for sentence in told)
    assert (left, taken) == ([], 1)
