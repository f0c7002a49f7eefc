"""What must the store of files keep, whole or not at all?"""

import hashlib
import io
import json
import subprocess
import sys
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
from xuesi.core.domain import OutlineEntry, Page, Span, Version
from xuesi.core.errors import DataFolderReadOnly, DocumentTooLarge, EmptyFile, FileMissing
from xuesi.core.ports import Files, Floats, Reading, SentenceVectors

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.fixture
def version() -> Version:
    return a_version(a_document())


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
    def ask(port: Files) -> str | None:
        return port.fingerprint(version)

    assert ask(store) is None


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=300))
def test_an_original_comes_back_byte_for_byte(store: FileStore, content: bytes) -> None:
    stored = store.put_original(io.BytesIO(content), limit_bytes=300)
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
        store.put_original(io.BytesIO(), limit_bytes=10)
    with pytest.raises(DocumentTooLarge) as told:
        store.put_original(io.BytesIO(b"x" * 11), limit_bytes=10)
    assert told.value.facts["limit_bytes"] == 10
    endless = _Endless()
    with pytest.raises(DocumentTooLarge):
        store.put_original(cast("BinaryIO", endless), limit_bytes=3_000_000)
    assert endless.taken < 6_000_000
    with pytest.raises(ConnectionResetError):
        store.put_original(cast("BinaryIO", _Broken()), limit_bytes=10**9)
    assert everything(store) == []
    assert store.put_original(io.BytesIO(b"x" * 10), limit_bytes=10).bytes == 10


def test_the_same_bytes_many_times_at_once_are_kept_once(store: FileStore) -> None:
    content = bytes(range(256)) * 20_000
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: store.put_original(io.BytesIO(content), limit_bytes=10**8), range(16)))
    assert len(set(stored)) == 1
    (place,) = everything(store)
    assert place.read_bytes() == content


def test_what_is_missing_is_named(store: FileStore, version: Version) -> None:
    with pytest.raises(FileMissing, match=version.sha256):
        store.original(version.sha256)
    for ask in (store.text, store.outline, store.vectors, store.sentences):
        with pytest.raises(FileMissing, match=version.sha256):
            ask(version)
    assert store.boxes(version) is None
    assert store.fingerprint(version) is None


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
    store.put_vectors(version, fingerprint="e5 “小”", passages=passages, sentences=sentences)
    assert store.fingerprint(version) == "e5 “小”"
    found, its = store.vectors(version), store.sentences(version)
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
    store.put_vectors(version, fingerprint="old", passages=passages, sentences=sentences)
    in_use = store.vectors(version)
    passages, sentences = some_vectors(5, of=0.75)
    store.put_vectors(version, fingerprint="new", passages=passages, sentences=sentences)
    assert (store.fingerprint(version), store.vectors(version).shape) == ("new", (5, 4))
    assert in_use.sum() == 3
    assert len(everything(store)) == 5  # four arrays and the file that names their folder


def test_a_reader_never_sees_vectors_that_do_not_fit_each_other(store: FileStore, version: Version) -> None:
    over = Event()

    def write() -> None:
        for i in range(60):
            count = i % 5 + 1
            passages, sentences = some_vectors(count, of=float(count))
            store.put_vectors(version, fingerprint="x", passages=passages, sentences=sentences)
        over.set()

    passages, sentences = some_vectors(1, of=1.0)
    store.put_vectors(version, fingerprint="x", passages=passages, sentences=sentences)
    thread = Thread(target=write)
    thread.start()
    while not over.is_set():
        its = store.sentences(version)
        assert len(its.spans) == len(its.passages) == len(its.vectors) == 2 * its.vectors[0, 0]
    thread.join()


def test_what_was_made_of_a_version_is_removed_and_the_original_only_when_told(store: FileStore) -> None:
    stored = store.put_original(io.BytesIO(b"abc"), limit_bytes=9)
    one, two = (a_version(a_document(), sha256=stored.sha256) for _ in range(2))
    for version in (one, two):
        store.put_reading(version, a_reading("甲"))
    store.remove(one, with_original=False)
    assert store.original(stored.sha256).read_bytes() == b"abc"
    assert store.text(two) == "甲"
    with pytest.raises(FileMissing):
        store.text(one)
    store.remove(two, with_original=True)
    store.remove(two, with_original=True)
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
from tests.contract.test_files import a_reading, some_vectors
from tests.library import a_document, a_version
from xuesi.core.errors import StorageFull

store, told = FileStore(Path(sys.argv[1]) / "files"), []
version = a_version(a_document())
passages, sentences = some_vectors(100_000, of=1.0)
for put in (
    lambda: store.put_original(io.BytesIO(b"x" * 2_000_000), limit_bytes=10**9),
    lambda: store.put_reading(version, a_reading("x" * 2_000_000)),
    lambda: store.put_vectors(version, fingerprint="x", passages=passages, sentences=sentences),
):
    try:
        put()
    except StorageFull as error:
        told.append(str(error))
print(json.dumps([told, [p.name for p in store._folder.rglob("*") if p.is_file()], store.put_original(io.BytesIO(b"x"), limit_bytes=9).bytes]))
"""


def test_a_full_disk_is_reported_and_nothing_half_written_stays(tmp_path: Path) -> None:
    """On a disk of half a megabyte, mounted in a namespace of its own."""
    mount = f"mount -t tmpfs -o size=512k tmpfs '{tmp_path}' && exec '{sys.executable}' -c \"$0\" '{tmp_path}'"
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, _ON_A_FULL_DISK]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not there to mount a small disk")
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    told, left, taken = json.loads(done.stdout)
    assert len(told) == 3
    assert all("no space left" in sentence for sentence in told)
    assert (left, taken) == ([], 1)
