"""Are the figures measured on the product's own pipeline, and in the form that is agreed?"""

import asyncio
import gc
import json
from pathlib import Path

import pytest

import eval.kept
import xuesi.wiring
from eval.answers import evaluate_answers
from eval.baselines import NAMES, baselines, llama_index_hybrid
from eval.build import build
from eval.dataset import Entry
from eval.retrieval import evaluate_retrieval
from index.embedders.openvino_model import OpenVinoEmbedder
from index.indexes import Indexes
from xuesi.core.errors import DataFolderBusy, StorageFull
from xuesi.core.settings import Settings

CORPUS = [
    ("silo", "数据共享报告", "数据孤岛是指各部门的数据不能互通的状况。打破它要统一编码。"),
    ("class", "读书班安排", "读书班于2023年6月5日在党校开班，为期五天。每天下午研讨。"),
    ("class-again", "读书班安排（转发）", "读书班于2023年6月5日在党校开班，为期五天。每天下午研讨。"),
    ("fire", "", "办公楼每层设两个灭火器。消防通道不得堆放杂物。"),
    ("canteen", "食堂管理办法", "食堂每天供应三餐。剩饭剩菜应当分类投放。"),
    ("empty", "空文件", ""),
]
QUERIES = {
    "q1": "什么是数据孤岛？",
    "q2": "读书班哪天开班？",
    "q3": "每层有几个灭火器？",
    "q4": "？",
    "q5": "空文件里有什么？",
}
QRELS = [("q1", "silo"), ("q2", "class"), ("q2", "class-again"), ("q3", "fire"), ("q4", "fire"), ("q5", "empty")]
ANSWERS = {"q1": ["各部门的数据不能互通"], "q2": ["2023年6月5日"], "q3": ["两个"]}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    def lines(rows: list[dict[str, object]]) -> str:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    folder = tmp_path / "tiny"
    folder.mkdir()
    files = {
        "corpus.jsonl": lines([{"_id": i, "title": title, "text": text} for i, title, text in CORPUS]),
        "queries.jsonl": lines([{"_id": i, "text": text} for i, text in QUERIES.items()]),
        "answers.jsonl": lines([{"_id": i, "answers": gold} for i, gold in ANSWERS.items()]),
        "unanswerable.jsonl": lines([{"_id": "u", "text": "量子计算机怎样纠错？"}]),
        "qrels.tsv": "".join(f"{query}\t{document}\t1\n" for query, document in QRELS),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(model_dir: Path, embedder: OpenVinoEmbedder, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for opener in (xuesi.wiring, eval.kept):  # the model is opened once for all tests, which is what takes time
        monkeypatch.setattr(opener, "open_model", lambda _settings: embedder)
    return Settings(data_dir=model_dir.parents[1])


@pytest.mark.timeout(120)
def test_a_full_disk_ends_the_measuring_and_is_told(
    dataset: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("There is no space left for the indexes.")

    monkeypatch.setattr(Indexes, "add", full)
    with pytest.raises(StorageFull, match="no space left"):
        evaluate_retrieval(dataset, settings)


def test_retrieval_ranks_documents_of_their_own(dataset: Path, settings: Settings) -> None:
    result = evaluate_retrieval(dataset, settings)
    assert (result["dataset"], result["documents"], result["refused"], result["queries"]) == ("tiny", 5, 1, 5)
    assert result["passages"] == 5
    assert set(result["each"]["q2"]["found"][:2]) == {"class", "class-again"}
    assert [result["each"][q]["hit@1"] for q in QUERIES] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert result["metrics"]["hit@1"] == pytest.approx(3 / 5)
    assert result["each"]["q4"]["found"] == []
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p95"]


def test_baselines_answer_the_same_questions_from_the_same_passages(dataset: Path, settings: Settings) -> None:
    result = evaluate_retrieval(dataset, settings, with_baselines=True)
    assert set(result["baselines"]) == set(NAMES)
    for name, its in result["baselines"].items():
        assert set(its["metrics"]) == set(result["metrics"])
        assert its["recall"][-1] == its["metrics"]["recall@20"]
        mean = sum(row["baselines"][name] for row in result["each"].values()) / 5
        assert its["against"]["difference"] == pytest.approx(result["metrics"]["ndcg@10"] - mean, abs=1e-3)
        assert its["against"]["p"] > 0.05, "five questions prove nothing"
        assert its["latency_ms"]["p50"] > 0
    assert [result["each"]["q1"]["baselines"][name] for name in ("dense", "bm25", "rrf")] == [1.0, 1.0, 1.0]
    assert result["each"]["q4"]["baselines"]["bm25"] == 0.0, "a question without a word"
    missed = result["worst"][0]
    assert (missed["id"], missed["ndcg@10"], missed["rank"], missed["found"]) == ("q4", 0.0, None, [])
    assert missed["expected"] == [{"id": "fire", "title": "", "text": CORPUS[3][2]}]
    assert [it["id"] for it in result["worst"]] == ["q4", "q5"]
    assert len(result["worst"][1]["found"]) == 3
    assert result["machine"]["commit"]
    assert result["settings"] == {}


def test_fused_rankings_are_made_of_both(settings: Settings) -> None:
    corpus = [*(Entry(*row) for row in CORPUS[:5]), Entry("library", "Reading room", "The reading room opens at nine.")]
    hybrid = llama_index_hybrid()
    with build(corpus, settings) as built, baselines(built.services, hybrid) as rankers:
        found = {name: [built.entries[it] for it in rank("读书班的消防通道", 9)] for name, rank in rankers.items()}
        english = [built.entries[it] for it in rankers["llama_index"]("When does the reading room open?", 2)]
    dense, words = found["dense"], found["bm25"]
    score = {it: sum(1 / (61 + ranking.index(it)) for ranking in (dense, words) if it in ranking) for it in dense}
    assert set(words) < set(dense) == set(found["rrf"]) == set(found["llama_index"])
    assert [score[it] for it in found["rrf"]] == sorted(score.values(), reverse=True)
    assert english[0] == "library"
    # takes the place of an event loop that was left open, which the collection then tells
    asyncio.run(asyncio.sleep(0))
    gc.collect()


def test_a_limit_asks_fewer_questions_of_the_whole_corpus(dataset: Path, settings: Settings) -> None:
    result = evaluate_retrieval(dataset, settings, limit=2)
    assert (result["queries"], result["documents"]) == (2, 5)
    assert result["metrics"]["hit@1"] == 1.0


def test_a_kept_library_is_used_again_for_what_counts_at_search_only(
    dataset: Path, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep = tmp_path / "kept"
    first = evaluate_retrieval(dataset, settings, keep=keep)
    (record,) = keep.glob("*/record.json")
    again = evaluate_retrieval(dataset, settings.model_copy(update={"lexical_weight": 0.5}), limit=3, keep=keep)
    assert list(keep.glob("*/record.json")) == [record]
    assert (again["build_s"], again["refused"], again["passages"]) == (first["build_s"], 1, 5)
    assert again["metrics"]["hit@1"] == 1.0
    assert not caplog.records

    facts = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps(facts | {"reading": "older", "indexes": "older", "commit": "0ld"}), encoding="utf-8")
    old = evaluate_retrieval(dataset, settings, keep=keep)
    assert (old["each"], old["built_by"]) == (first["each"], "0ld")
    assert [path.name for path in (record.parent / "library" / "lexical").iterdir()] == ["2"], "indexes are made anew"
    assert "was built at 0ld; how files are read, cut or embedded has changed" in caplog.text


def test_another_library_has_a_place_of_its_own_and_an_unfinished_one_is_built_again(
    settings: Settings, tmp_path: Path
) -> None:
    one = [Entry(*CORPUS[0])]
    with build(one, settings, keep=tmp_path) as built:
        held = set(built.entries)
        with pytest.raises(DataFolderBusy), build(one, settings, keep=tmp_path):
            pass
    (record,) = tmp_path.glob("*/record.json")
    with build(one, settings.model_copy(update={"passage_chars": 200}), keep=tmp_path) as built:
        assert held.isdisjoint(built.entries)
    assert len(list(tmp_path.glob("*/record.json"))) == 2
    record.unlink()
    with build(one, settings, keep=tmp_path) as built:
        assert len(built.services.catalogue.titles()) == 1
        assert held.isdisjoint(built.entries)


def test_answers_are_measured_with_their_citations_and_abstentions(dataset: Path, settings: Settings) -> None:
    result = evaluate_answers(dataset, settings)
    metrics = result["metrics"]
    assert (result["queries"], result["unanswerable"]) == (5, 1)
    assert metrics["answer_in_first"] == metrics["answer_in_shown"] == 1.0
    assert metrics["citation_precision"] == metrics["citation_verbatim"] == 1.0
    assert metrics["abstain_recall"] == 1.0
    assert 0 < metrics["statement_chars"] < 120


def test_abstaining_is_a_miss(dataset: Path, settings: Settings) -> None:
    silent = evaluate_answers(dataset, settings.model_copy(update={"answer_threshold": 1.0}))["metrics"]
    assert silent["answer_in_first"] == silent["answer_in_shown"] == 0.0
    assert silent["citation_precision"] is None


def test_withheld_documents_make_their_questions_unanswerable(dataset: Path, settings: Settings) -> None:
    result = evaluate_answers(dataset, settings, withhold=0.6, seed=0)
    assert result["queries"] + result["unanswerable"] == 6
    assert result["unanswerable"] >= 4
    assert result["documents"] + result["refused"] < 6
    assert 0 <= result["metrics"]["abstain_auroc"] <= 1
    assert sum(tenth["questions"] for tenth in result["reliability"]) == 6
    assert 0 <= result["metrics"]["calibration_error"] <= 1
