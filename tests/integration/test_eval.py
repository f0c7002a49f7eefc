"""Are the figures measured on the product's own pipeline, and in the form that is agreed?"""

import json
from pathlib import Path

import pytest

from eval.answers import evaluate_answers
from eval.report import print_table, write_report
from eval.retrieval import evaluate_retrieval
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
def settings(model_dir: Path) -> Settings:
    return Settings(data_dir=model_dir.parents[1])


def test_retrieval_ranks_documents_of_their_own(dataset: Path, settings: Settings) -> None:
    result = evaluate_retrieval(dataset, settings)
    assert (result["dataset"], result["documents"], result["refused"], result["queries"]) == ("tiny", 5, 1, 5)
    assert result["passages"] == 5
    assert set(result["each"]["q2"]["found"][:2]) == {"class", "class-again"}
    assert [result["each"][q]["hit@1"] for q in QUERIES] == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert result["metrics"]["hit@1"] == pytest.approx(3 / 5)
    assert result["each"]["q4"]["found"] == []
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p95"]


def test_a_limit_asks_fewer_questions_of_the_whole_corpus(dataset: Path, settings: Settings) -> None:
    result = evaluate_retrieval(dataset, settings, limit=2)
    assert (result["queries"], result["documents"]) == (2, 5)
    assert result["metrics"]["hit@1"] == 1.0


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


def test_results_are_shown_as_table_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = {
        "dataset": "a<b",
        "documents": 2000,
        "queries": 3,
        "metrics": {"ndcg@10": 0.5, "abstain_auroc": None},
        "latency_ms": {"p50": 12.0, "p95": 20.0},
    }
    print_table([result])
    shown = capsys.readouterr().out
    assert "a<b" in shown
    assert "2,000" in shown
    assert "0.500" in shown
    write_report([result], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "a&lt;b" in page
    assert "width:50.0%" in page
    assert "http" not in page
