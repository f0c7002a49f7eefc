"""What must any `VectorIndex` do? Run against Chroma."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.vectors.chroma import ChromaIndex
from xuesi.core.domain import PassageId
from xuesi.core.errors import IndexCorrupt, IndexMismatch
from xuesi.core.ports import Floats, VectorIndex


def _unit(n: int, *, dimension: int = 32, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _ids(n: int) -> list[PassageId]:
    return [PassageId(f"p{i:05d}") for i in range(n)]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VectorIndex]:
    opened = ChromaIndex(tmp_path / "vectors")
    yield opened
    opened.close()


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert index.query(_unit(1)[0], 5) == []
    assert index.get([PassageId("p")]) == {}
    assert index.get([]) == {}
    assert index.count() == 0
    assert list(index.ids()) == []
    index.remove([PassageId("p")])
    index.remove([])
    index.add([], _unit(0))


def test_the_nearest_stand_first_with_their_cosine(index: VectorIndex) -> None:
    vectors = _unit(500)
    index.add(_ids(500), vectors)
    wanted = vectors @ vectors[7]
    found = index.query(vectors[7], 20)
    assert [key for key, _ in found] == [f"p{i:05d}" for i in np.argsort(-wanted)[:20]]
    assert [score for _, score in found] == pytest.approx(sorted(wanted, reverse=True)[:20], abs=1e-5)
    assert len(index.query(vectors[0], 10_000)) == 500


def test_equal_vectors_come_in_order_of_their_ids(index: VectorIndex) -> None:
    vector = _unit(1)
    index.add([PassageId("c"), PassageId("a"), PassageId("b")], np.repeat(vector, 3, axis=0))
    assert [key for key, _ in index.query(vector[0], 3)] == ["a", "b", "c"]


def test_more_than_one_batch_is_taken(index: VectorIndex) -> None:
    vectors = _unit(6000)
    index.add(_ids(6000), vectors)
    assert index.count() == 6000
    assert set(index.ids()) == set(_ids(6000))
    assert index.query(vectors[5999], 1)[0][0] == "p05999"
    index.remove(_ids(5999))
    assert list(index.ids()) == ["p05999"]


def test_tokens_come_and_go_with_their_passages(tmp_path: Path) -> None:
    tokens = [np.full((n, 40), n % 256, np.uint8) for n in (0, 7, 300)]
    with closing(ChromaIndex(tmp_path / "vectors")) as index:
        index.add(_ids(3), _unit(3), tokens)
        index.add([PassageId("none")], _unit(1))
        index.remove([_ids(3)[1]])
        index.add(_ids(1), _unit(1), [tokens[2]])
    with closing(ChromaIndex(tmp_path / "vectors")) as index:
        found = index.tokens([*_ids(3), PassageId("none"), PassageId("nobody's")])
        assert {key: len(codes) for key, codes in found.items()} == {_ids(3)[0]: 300, _ids(3)[2]: 300}
        np.testing.assert_array_equal(found[_ids(3)[2]], tokens[2])
        assert index.tokens([]) == {}
        index.add(_ids(6000), _unit(6000), [tokens[1]] * 6000)
        assert len(index.tokens(_ids(6000))) == 6000


def test_a_damaged_token_file_is_named(tmp_path: Path) -> None:
    with closing(ChromaIndex(tmp_path / "vectors")) as index:
        index.add(_ids(1), _unit(1), [np.zeros((1, 40), np.uint8)])
    (tmp_path / "vectors" / "tokens.db").write_bytes(b"no database" * 500)
    with pytest.raises(IndexCorrupt, match="not a database"):
        ChromaIndex(tmp_path / "vectors")


def test_adding_again_replaces(index: VectorIndex) -> None:
    vectors = _unit(3)
    index.add(_ids(2), vectors[:2])
    index.add(_ids(1), vectors[2:])
    assert index.count() == 2
    ((key, score),) = index.query(vectors[2], 1)
    assert key == "p00000"
    assert score == pytest.approx(1.0, abs=1e-5)


def test_what_was_removed_is_never_found(index: VectorIndex) -> None:
    vectors = _unit(300)
    index.add(_ids(300), vectors)
    index.remove([*_ids(100), PassageId("unknown")])
    for vector in vectors[:20]:
        assert not {key for key, _ in index.query(vector, 300)} & set(_ids(100))
    assert index.count() == 200


def test_vectors_come_back_as_they_were(index: VectorIndex) -> None:
    vectors = _unit(10)
    index.add(_ids(10), vectors)
    found = index.get([PassageId("p00003"), PassageId("unknown"), PassageId("p00001")])
    assert set(found) == {"p00003", "p00001"}
    assert found[PassageId("p00003")].dtype == np.float32
    assert np.allclose(found[PassageId("p00003")], vectors[3])


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    vectors = _unit(1500)
    first = ChromaIndex(tmp_path)
    first.add(_ids(1500), vectors)
    first.close()
    second = ChromaIndex(tmp_path)
    assert second.count() == 1500
    assert second.query(vectors[1400], 1)[0][0] == "p01400"
    second.close()


def test_recall_of_the_graph_is_nearly_that_of_an_exact_search(index: VectorIndex) -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(50, 32))
    vectors = (centres[rng.integers(0, 50, 5000)] + 0.5 * rng.normal(size=(5000, 32))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index.add(_ids(5000), vectors)
    right = 0
    for vector in vectors[:50]:
        wanted = {f"p{i:05d}" for i in np.argsort(-(vectors @ vector))[:30]}
        right += len(wanted & {key for key, _ in index.query(vector, 30)})
    assert right / (50 * 30) > 0.99


def test_another_dimension_is_a_mismatch_with_the_way_out(index: VectorIndex) -> None:
    index.add(_ids(2), _unit(2))
    with pytest.raises(IndexMismatch, match="32") as refused:
        index.add(_ids(2), _unit(2, dimension=16))
    assert "reindex --model" in refused.value.hint
    with pytest.raises(IndexMismatch):
        index.query(_unit(1, dimension=16)[0], 1)


def test_a_damaged_folder_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"no database" * 500)
    with pytest.raises(IndexCorrupt, match=str(tmp_path)) as refused:
        ChromaIndex(tmp_path)
    assert "xuesi reindex" in refused.value.hint


_OFFLINE = """
import socket, sys
from pathlib import Path
import numpy as np

def refuse(self, address):
    raise SystemExit(f"tried to connect to {address}")

socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *args, **kwargs: refuse(None, args)
from index.vectors.chroma import ChromaIndex
index = ChromaIndex(Path(sys.argv[1]))
index.add(["p"], np.eye(1, 8, dtype=np.float32))
assert index.query(np.eye(1, 8, dtype=np.float32)[0], 1)[0][0] == "p"
index.close()
assert "torch" not in sys.modules
print("done")
"""


def test_nothing_is_sent_anywhere(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", _OFFLINE, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.stdout.strip() == "done", run.stdout + run.stderr


def test_nothing_of_the_program_s_memory_gets_into_its_files(tmp_path: Path) -> None:
    secret = "鹧鸪飞过调研的村庄"
    for round_ in range(6):
        other, index = ChromaIndex(tmp_path / f"other{round_}"), ChromaIndex(tmp_path / f"index{round_}")
        ids = [PassageId(f"{secret * 4}{i}") for i in range(300)]
        other.add(ids, _unit(300, dimension=16))
        other.remove(ids)
        other.close()
        index.add(_ids(30), _unit(30, dimension=16))
        index.query(_unit(1, dimension=16)[0], 3)
        index.close()
        files = [file for file in (tmp_path / f"index{round_}").rglob("*.bin") if file.stat().st_size]
        assert files, "nothing was written, so this proves nothing"
        assert [file.name for file in files if secret.encode() in file.read_bytes()] == []
