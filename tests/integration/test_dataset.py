"""Is a question set read as BEIR reads it, and is what is wrong named by file and line?"""

from pathlib import Path

import pytest

from eval.dataset import read_dataset
from xuesi.core.errors import InvalidInput

ROOT = Path(__file__).parents[2]
CORPUS = '{"_id":"a","title":"甲","text":"正文甲"}\n{"_id":"b","title":"","text":"正文乙"}\n{"_id":"c","title":"丙","text":"正文丙"}\n'
QUERIES = '{"_id":"1","text":"问一"}\n{"_id":"2","text":"问二"}\n{"_id":"3","text":"问三"}\n'
QRELS = "query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t0\n2\tb\t1\n"


def a_set(folder: Path, **files: str) -> Path:
    content = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels.tsv": QRELS}
    for name, text in (content | {k.replace("__", "."): v for k, v in files.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_only_questions_with_a_judgement_are_asked(tmp_path: Path) -> None:
    dataset = read_dataset(a_set(tmp_path))
    assert dict(dataset.queries) == {"1": "问一", "2": "问二"}
    assert dataset.right("1") == {"a"}
    assert [(e.id, e.title) for e in dataset.corpus] == [("a", "甲"), ("b", ""), ("c", "丙")]
    assert dataset.name == tmp_path.name


def test_judgements_are_read_without_a_header_too(tmp_path: Path) -> None:
    bare = read_dataset(a_set(tmp_path, qrels__tsv=QRELS.split("\n", 1)[1]))
    assert bare.qrels == {"1": {"a": 2, "b": 0}, "2": {"b": 1}}


def test_a_relevant_document_that_the_corpus_lacks_stays_judged(tmp_path: Path) -> None:
    assert read_dataset(a_set(tmp_path, qrels__tsv="1\tz\t1\n")).right("1") == {"z"}


def test_answers_and_unanswerable_questions_are_read_where_they_are(tmp_path: Path) -> None:
    dataset = read_dataset(
        a_set(
            tmp_path,
            answers__jsonl='{"_id":"1","answers":["甲"]}\n',
            unanswerable__jsonl='{"_id":"u","text":"没有的事"}\n',
        )
    )
    assert dataset.answers == {"1": ("甲",)}
    assert dataset.absent == {"u": "没有的事"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("corpus__jsonl", CORPUS + "{oops\n", "corpus.jsonl, line 4: no JSON"),
        ("corpus__jsonl", '{"_id":"a","title":"t"}\n', "corpus.jsonl, line 1: needs _id and text"),
        ("queries__jsonl", QUERIES + '{"_id":"1","text":"x"}\n', "queries.jsonl, line 4: the id 1 comes twice"),
        ("queries__jsonl", '{"_id":7,"text":"x"}\n', "queries.jsonl, line 1: needs _id and text"),
        ("corpus__jsonl", '{"_id":"a","title":7,"text":"t"}\n', "corpus.jsonl, line 1: title and answers must be text"),
        ("answers__jsonl", '{"_id":"1","answers":[1997]}\n', "answers.jsonl, line 1: title and answers must be text"),
        ("qrels__tsv", "1\ta\t1\n2 b 1\n", "qrels.tsv, line 2: needs query-id, corpus-id"),
        ("qrels__tsv", "1\ta\t1\n2\tb\thigh\n", "qrels.tsv, line 2: needs query-id, corpus-id"),
        ("qrels__tsv", "9\ta\t1\n", "has a judgement"),
        ("answers__jsonl", '{"_id":"1","answers":"甲"}\n', "answers.jsonl, line 1: needs _id and answers"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_dataset(a_set(tmp_path, **{name: text}))


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (a_set(tmp_path) / name).unlink()
    with pytest.raises(InvalidInput, match=f"{name} is missing"):
        read_dataset(tmp_path)


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    (a_set(tmp_path) / "queries.jsonl").write_bytes('{"_id":"1","text":"问"}'.encode("gb18030"))
    with pytest.raises(InvalidInput, match=r"queries\.jsonl cannot be read"):
        read_dataset(tmp_path)


def test_a_limit_keeps_the_corpus_whole(tmp_path: Path) -> None:
    limited = read_dataset(a_set(tmp_path)).limited(1)
    assert list(limited.queries) == list(limited.qrels) == ["1"]
    assert len(limited.corpus) == 3


def test_withholding_takes_the_right_documents_and_no_others_away(tmp_path: Path) -> None:
    dataset = read_dataset(a_set(tmp_path))
    half = dataset.withheld(0.5, seed=0)
    assert len(half.queries) == len(half.absent) == 1
    (gone,) = half.absent
    assert {e.id for e in half.corpus} == {"a", "b", "c"} - dataset.right(gone)
    assert dataset.withheld(0.5, seed=0) == half
    assert dataset.withheld(0.0, seed=0) == dataset


def test_questions_to_the_sample_corpus_are_a_set_of_its_files() -> None:
    dataset = read_dataset(ROOT / "eval" / "questions" / "sample.jsonl")
    held = {entry.id for entry in dataset.corpus}
    assert (dataset.name, len(held), len(dataset.queries), len(dataset.absent)) == ("sample", 23, 92, 12)
    assert all(dataset.right(query) <= held for query in dataset.queries)
    assert all(entry.file and entry.file.is_file() and entry.title for entry in dataset.corpus)
    assert dataset.answers["s001"] == ("制定并印发了主题教育实施方案",)
