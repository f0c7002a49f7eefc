"""Do retrieval and answers keep the quality that was measured on public question sets? Fixed slices of them, with floors.

The sets lie beside the checkout; without them these tests are skipped. `make eval DATASETS=…` measures them whole.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.answers import evaluate_answers
from eval.retrieval import evaluate_retrieval
from xuesi.core.settings import Settings

SETS = Path(__file__).parents[2].parent / "shared" / "data" / "bench"
pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason="the shared question sets are not beside this checkout")
MOST_QUESTIONS = 40
# Documents of a slice, and a floor below the nDCG@10 that was measured on it by what two or three questions make.
RETRIEVAL = {
    "drcd": (30, 0.97),
    "cmrc2018": (20, 0.97),
    "xquad_en": (25, 0.96),
    "xquad_zh": (25, 0.96),
    "xquad_zh2en": (25, 0.93),
    "stard_small": (60, 0.78),
    "study_questions": (20, 0.93),
}
# The gold answer in the first statement, and in those shown.
ANSWERS = {"drcd": (0.72, 0.87), "cmrc2018": (0.82, 0.87)}

Slices = Callable[[str], Path]


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Slices:
    def write(name: str) -> Path:
        folder = tmp_path_factory.getbasetemp() / "slices" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            _write_slice(SETS / name, folder, documents=RETRIEVAL[name][0])
        return folder

    return write


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of a corpus serves every set that asks about it."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def settings(tmp_path: Path, model_dir: Path) -> Settings:
    (tmp_path / "models").symlink_to(model_dir.parent, target_is_directory=True)
    return Settings(data_dir=tmp_path)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write_slice(source: Path, target: Path, *, documents: int) -> None:
    """The documents of questions taken in a fixed order by chance, filled up with others, and every question that they answer."""
    corpus, queries, answers = (_rows(source / f"{name}.jsonl") for name in ("corpus", "queries", "answers"))
    right: dict[str, set[str]] = {}
    qrels = [line.split("\t") for line in (source / "qrels.tsv").read_text(encoding="utf-8").splitlines()]
    for query, document, _ in (row for row in qrels if row[-1].isdigit()):
        right.setdefault(query, set()).add(document)
    by_chance = random.Random(0)
    by_chance.shuffle(queries)
    chosen: set[str] = set()
    for row in queries:
        wanted = chosen | right.get(row["_id"], set())
        chosen = wanted if len(wanted) <= 0.8 * documents else chosen
    others = [entry["_id"] for entry in corpus if entry["_id"] not in chosen]
    chosen |= set(by_chance.sample(others, documents - len(chosen)))
    asked = {q["_id"] for q in [q for q in queries if right.get(q["_id"], {""}) <= chosen][:MOST_QUESTIONS]}
    kept = {
        "corpus": [entry for entry in corpus if entry["_id"] in chosen],
        "queries": [query for query in queries if query["_id"] in asked],
        "answers": [answer for answer in answers if answer["_id"] in asked],
    }
    for name, rows in kept.items():
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (target / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    (target / "qrels.tsv").write_text("".join("\t".join(row) + "\n" for row in qrels if row[0] in asked), "utf-8")


@pytest.mark.parametrize("name", RETRIEVAL)
def test_the_right_documents_are_found(name: str, slices: Slices, kept: Path, settings: Settings) -> None:
    result = evaluate_retrieval(slices(name), settings, keep=kept)
    assert result["metrics"]["ndcg@10"] >= RETRIEVAL[name][1], result["worst"][:3]


@pytest.mark.parametrize("name", ANSWERS)
def test_the_gold_answer_is_said_and_cited_verbatim(name: str, slices: Slices, kept: Path, settings: Settings) -> None:
    metrics = evaluate_answers(slices(name), settings, keep=kept)["metrics"]
    first, shown = ANSWERS[name]
    assert (metrics["answer_in_first"] >= first, metrics["answer_in_shown"] >= shown) == (True, True), metrics
    assert metrics["citation_verbatim"] == metrics["citation_precision"] == 1.0
