"""Do the tables, the JSON and the page show what was measured, and do two runs compare as they differ?"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import xuesi
from eval.baselines import llama_index_hybrid
from eval.comparison import compare, print_comparison, read_results, write_comparison
from eval.machine import commit, conditions
from eval.report import as_json, print_table, write_report
from eval.significance import paired
from xuesi.core.errors import InvalidInput, Misconfigured
from xuesi.core.settings import Settings


def figures(value: float) -> dict[str, Any]:
    names = ("ndcg@10", "recall@5", "recall@20", "mrr@10", "hit@1")
    return {"metrics": dict.fromkeys(names, value), "latency_ms": {"p50": 12.0, "p95": 20.0}, "recall": [value] * 20}


def a_result(own: list[float], *, name: str = "a<b", theirs: list[float] | None = None) -> dict[str, Any]:
    each = {
        f"q{i}": {"query": f"问题{i}", "ndcg@10": value, "recall@5": value, "recall@20": value, "mrr@10": value, "hit@1": value, "found": ["d1", "d2"]}
        for i, value in enumerate(own)
    }  # fmt: skip
    worst = {
        "id": "q0",
        "query": "问题0",
        "ndcg@10": own[0],
        "rank": None,
        "expected": [{"id": "d9", "title": "“标题”<i>", "text": "应有的话"}],
    }
    hit = {"id": "d1", "title": "另一篇", "text": "开头的话…"}
    rival = figures(0.25) | {"against": paired(own, theirs)} if theirs else None
    return {
        "dataset": name,
        "documents": 2000,
        "refused": 0,
        "passages": 3000,
        "queries": len(own),
        **figures(sum(own) / len(own)),
        "build_s": 77.4,
        "built_by": "0ld",
        "baselines": {"bm25": rival} if rival else {},
        "worst": [worst | {"found": [hit]}],
        "each": each,
        "machine": {"processor": "Abacus", "bf16": "no", "cores": "2", "memory": "1 GB", "system": "Linux", "python": "3.11", "commit": "n3w"},
        "settings": {"lexical_weight": 0.5},
        "measured_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip


def test_tables_and_page_show_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result([0.5] * 12, theirs=[0.25] * 12)
    print_table([result, a_result([0.5], name="other")])
    shown = capsys.readouterr().out
    assert "2,000" in shown
    assert "12.0" in shown
    assert "0.250 +**" in shown
    write_report([result, a_result([0.5], name="other")], tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "a&lt;b" in page
    assert 'aria-label="Recall on a&lt;b"' in page
    assert '<span class="mark better">+**</span>' in page
    assert "“标题”&lt;i&gt;" in page
    assert "开头的话…" in page
    assert "Not among those looked at." in page
    assert "lexical_weight = 0.5" in page
    assert "commit n3w" in page
    assert "http" not in page, "it needs nothing from elsewhere"
    assert "<script" not in page
    kept = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [it["metrics"] for it in kept] == [result["metrics"], figures(0.5)["metrics"]]
    assert "问题" not in (tmp_path / "figures.json").read_text(encoding="utf-8")


def test_results_of_answers_are_shown_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {
        "dataset": "set",
        "queries": 3,
        "metrics": {"answer_in_first": 0.5, "statement_chars": 49.5, "abstain_auroc": None},
        "latency_ms": {"p50": 12.0, "p95": 20.0},
    }
    print_table([answers])
    assert "0.500" in capsys.readouterr().out
    write_report([answers], tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "0.500" in page
    assert "49.500" in page


def test_json_is_one_object_for_one_set_and_holds_a_question_a_line() -> None:
    one, other = a_result([0.5, 1.0]), a_result([0.5], name="other")
    assert json.loads(as_json([one])) == one
    assert json.loads(as_json([one, other])) == [one, other]
    assert json.loads(as_json([{"dataset": "answers"}])) == {"dataset": "answers"}
    assert sum(line.startswith('    "q') for line in as_json([one]).splitlines()) == 2


def test_two_runs_are_compared_question_by_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = a_result([0.5, 1.0, 0.0, 1.0]), a_result([1.0, 0.25, 0.25, 1.0, 0.0])
    (it,) = compare([before, a_result([1.0], name="gone")], [after])
    assert (it["dataset"], it["queries"]) == ("a<b", 4)
    assert it["metrics"]["ndcg@10"] == {"before": 0.625, "after": 0.625, "difference": 0.0}
    assert it["latency_ms"]["p50"]["difference"] == 0.0
    assert it["test"] == paired([1.0, 0.25, 0.25, 1.0], [0.5, 1.0, 0.0, 1.0])
    assert [one["id"] for one in it["gained"]] == ["q0", "q2"]
    assert [(one["id"], one["query"], one["before"], one["after"]) for one in it["lost"]] == [
        ("q1", "问题1", 1.0, 0.25)
    ]
    print_comparison([it])
    shown = capsys.readouterr().out
    assert "2 better, 1 worse, 1 the same" in shown
    assert "lost 1.000 → 0.250  问题1" in shown
    write_comparison([it], {"before": ("A.json", [before]), "after": ("B.json", [after])}, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "问题1" in page
    assert "A.json, commit n3w, lexical_weight = 0.5" in page


def test_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    for held in ("{", '{"dataset": "x", "metrics": {"answer_in_first": 1}}', "[7]"):
        file.write_text(held, encoding="utf-8")
        with pytest.raises(InvalidInput, match=r"run\.json"):
            read_results(file)
    with pytest.raises(InvalidInput, match="no question of one dataset in common"):
        compare([a_result([1.0], name="x")], [a_result([1.0], name="y")])
    file.write_text(as_json([a_result([1.0])]), encoding="utf-8")
    assert read_results(file) == [a_result([1.0])]


def test_baselines_that_are_not_installed_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "eval.llama_index_hybrid", None)
    with pytest.raises(Misconfigured, match="a package that is not installed") as refused:
        llama_index_hybrid()
    assert "xuesi[baselines]" in refused.value.hint


def test_a_run_says_which_program_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = conditions(Settings(data_dir=tmp_path, lexical_weight=0.4, admin_token=SecretStr("secret")))
    assert said["settings"] == {"lexical_weight": 0.4}, "neither places nor secrets"
    assert said["machine"]["commit"] == commit()
    monkeypatch.setattr("eval.machine.__file__", str(tmp_path / "_bundle" / "eval" / "machine.py"))
    assert commit() == f"version {xuesi.__version__}", "not that of a checkout around it"


def test_the_page_draws_how_far_confidence_can_be_believed(tmp_path: Path) -> None:
    tenths = [
        {"from": 0.1, "questions": 25, "confidence": 0.14, "answerable": 0.2},
        {"from": 0.9, "questions": 100, "confidence": 0.97, "answerable": 0.95},
    ]
    write_report([a_result([0.5]) | {"reliability": tenths}], tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'aria-label="Reliability of the confidence on a&lt;b"' in page
    assert "<title>25 questions, told 0.14, true 0.20</title>" in page
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["reliability"] == tenths
