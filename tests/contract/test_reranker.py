"""Does a reranker score as the CrossEncoder that it was made from, and is what is none refused?

Conversion is tried on tiny models with random weights: they load, convert and run as large ones do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.rerankers.open import open_reranker
from index.rerankers.openvino_model import OpenVinoReranker
from tests.plain_cross_encoder import ask
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import Reranker

ROOT = Path(__file__).parents[2]
QUERY = "How do findings become measures?"
PASSAGES = [
    "Each finding gets a measure, a date and somebody who answers for it.",
    "x",
    "",
    "12 (3) *** \t 🙂",
    "调查研究",
    "The city lies on the river. " * 20,  # longer than the model reads
    "the reading class meets at nine",
]
LONG_QUERY = "what is to be done about it and by whom " * 5
PLANS: dict[str, dict[str, Any]] = {
    "bert, sigmoid": {"kind": "bert"},
    "bert, identity": {"kind": "bert", "activation": "Identity"},
    "xlm-roberta, sigmoid": {"kind": "xlm-roberta"},
    "two labels": {"kind": "bert", "labels": 2},
    "tanh": {"kind": "bert", "activation": "Tanh"},
    "no head": {"kind": "bert", "headless": True},
}
FAITHFUL = ("bert, sigmoid", "bert, identity", "xlm-roberta, sigmoid")


@dataclass(frozen=True, slots=True)
class Tiny:
    """A tiny model's folder and what plain sentence-transformers scores: QUERY with PASSAGES, then LONG_QUERY with them."""

    folder: Path
    expected: list[float]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tiny]:
    folder = tmp_path_factory.mktemp("tiny")
    pairs = [(query, passage) for query in (QUERY, LONG_QUERY) for passage in PASSAGES]
    scores = ask(pairs=pairs, builds=[{"folder": str(folder / name)} | plan for name, plan in PLANS.items()])
    return {name: Tiny(folder / name, its) for name, its in zip(PLANS, scores, strict=True)}


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def _opened(folder: Path, models_dir: Path, said: list[str] | None = None) -> Reranker:
    progress = said.append if said is not None else print
    return open_reranker(rerank_model=str(folder), models_dir=models_dir, progress=progress)


@pytest.fixture(scope="module", params=FAITHFUL)
def subject(
    request: pytest.FixtureRequest, tiny: dict[str, Tiny], models_dir: Path
) -> tuple[Reranker, Sequence[float]]:
    its = tiny[request.param]
    return _opened(its.folder, models_dir), its.expected


def test_scores_are_those_of_the_cross_encoder(subject: tuple[Reranker, Sequence[float]]) -> None:
    reranker, expected = subject
    assert max(expected) - min(expected) > 0.3  # or a constant would pass
    scores = np.concatenate([reranker.score(query, PASSAGES) for query in (QUERY, LONG_QUERY)])
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=0.02 * max(1, *map(abs, expected)))


def test_a_score_does_not_depend_on_its_batch_and_order_is_kept(subject: tuple[Reranker, Sequence[float]]) -> None:
    reranker, _ = subject
    together = reranker.score(QUERY, PASSAGES * 7)
    alone = [float(reranker.score(QUERY, [passage])[0]) for passage in PASSAGES]
    np.testing.assert_allclose(together, alone * 7, atol=0.02 * max(1, *map(abs, alone)))
    np.testing.assert_array_equal(together, reranker.score(QUERY, PASSAGES * 7))


def test_nothing_in_nothing_out(subject: tuple[Reranker, Sequence[float]]) -> None:
    assert subject[0].score(QUERY, []).shape == (0,)


@pytest.mark.parametrize("text", ["", " \n", "</s><pad>", "\x00\ufffd", "学" * 20_000, "word " * 20_000])
def test_odd_texts_are_scored_without_error(subject: tuple[Reranker, Sequence[float]], text: str) -> None:
    reranker, _ = subject
    assert np.isfinite(reranker.score(text, [text, PASSAGES[0]])).all()


def test_threads_do_not_disturb_each_other(subject: tuple[Reranker, Sequence[float]]) -> None:
    reranker, _ = subject
    alone = reranker.score(QUERY, PASSAGES)
    with ThreadPoolExecutor(8) as pool:
        for scores in pool.map(lambda _: reranker.score(QUERY, PASSAGES), range(24)):
            np.testing.assert_array_equal(scores, alone)


def test_models_that_score_no_pairs_are_refused(tiny: dict[str, Tiny], tmp_path: Path) -> None:
    complaints = {"two labels": "2 labels", "tanh": "ends in Tanh", "no head": "with BertModel"}
    code = (
        "import sys; from pathlib import Path; from index.rerankers.conversion import convert\n"
        "from xuesi.core.errors import Misconfigured\n"
        "for source in sys.argv[2:]:\n"
        "    try: convert(source, Path(sys.argv[1]), stamp='', report=print)\n"
        "    except Misconfigured as error: print(error)\n"
    )
    sources = [str(tiny[name].folder) for name in complaints]
    arguments = [sys.executable, "-c", code, str(tmp_path), *sources]
    said = subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()
    for line, source, complaint in zip(said, sources, complaints.values(), strict=True):
        assert source in line
        assert complaint in line
        assert "Choose another rerank_model" in line


def test_a_model_is_prepared_once_and_needs_its_source_no_more(tiny: dict[str, Tiny], models_dir: Path) -> None:
    source, said = tiny["bert, sigmoid"].folder, list[str]()
    before = _opened(source, models_dir).score(QUERY, PASSAGES)
    aside = source.rename(source.with_name("aside"))
    try:
        np.testing.assert_array_equal(_opened(source, models_dir, said).score(QUERY, PASSAGES), before)
    finally:
        aside.rename(source)
    assert said == []


@pytest.mark.parametrize("file_name", ["model.xml", "model.bin", "tokenizer.json", "meta.json"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_prepared_model_says_which_folder_to_delete(
    tiny: dict[str, Tiny], models_dir: Path, tmp_path: Path, file_name: str, damage: str
) -> None:
    _opened(tiny["bert, sigmoid"].folder, models_dir)
    (prepared,) = models_dir.glob("reranker-*bert-sigmoid-*/")
    folder = tmp_path / "reranker"
    shutil.copytree(prepared, folder, copy_function=os.link)
    content = (folder / file_name).read_bytes()
    (folder / file_name).unlink()
    if damage == "cut":
        (folder / file_name).write_bytes(content[: len(content) // 2])
    with pytest.raises(Misconfigured, match=str(folder)):
        OpenVinoReranker(folder).score(QUERY, PASSAGES)
