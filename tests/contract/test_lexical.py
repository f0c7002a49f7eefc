"""What must any `LexicalIndex` do? Run against tantivy, its scores checked against bm25s and against the formula."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pytest
import tantivy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import lexical
from index.lexical import TantivyIndex
from xuesi.core.domain import PassageId, VersionId
from xuesi.core.errors import IndexCorrupt, StoreUnavailable
from xuesi.core.ports import LexicalEntry, LexicalIndex

_TEXTS = [
    "学思想、强党性、重实践、建新功",
    "调查研究是谋事之基、成事之道",
    "读书班采取集中学习、专题研讨",
    "整改整治要坚持问题导向",
    "数据孤岛阻碍监督，要推动数据共享",
    "Research findings become measures",
]


def _entry(key: str, text: str, *, version: str = "v1", title: str = "") -> LexicalEntry:
    return LexicalEntry(PassageId(key), VersionId(version), title, (), text)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LexicalIndex]:
    opened = TantivyIndex(tmp_path / "lexical")
    yield opened
    opened.close()


@pytest.fixture
def filled(index: LexicalIndex) -> LexicalIndex:
    index.add([_entry(f"p{i}", text, version=f"v{i // 2}") for i, text in enumerate(_TEXTS)])
    return index


def test_an_empty_index_finds_nothing(index: LexicalIndex) -> None:
    query = index.parse("学习")
    assert index.search(query, limit=10) == []
    assert index.score(query, [PassageId("p0")]) == {"p0": 0.0}
    assert index.explain(query, [PassageId("p0")]) == {"p0": ()}
    assert index.count() == 0
    assert list(index.ids()) == []
    assert query.ceiling > 0


def test_a_question_without_words_finds_nothing(filled: LexicalIndex) -> None:
    query = filled.parse("？！")
    assert query.ceiling == 0
    assert filled.search(query, limit=10) == []
    assert filled.score(query, [PassageId("p0")]) == {"p0": 0.0}


def test_the_best_stands_first_and_the_rest_is_left_out(filled: LexicalIndex) -> None:
    found = filled.search(filled.parse("怎样推动数据共享？"), limit=10)
    assert found[0][0] == "p4"
    assert all(score > 0 for _, score in found)
    assert "p5" not in dict(found)
    assert filled.search(filled.parse("数据共享"), limit=1) == filled.search(filled.parse("数据共享"), limit=10)[:1]


def test_title_and_headings_count(index: LexicalIndex) -> None:
    index.add([LexicalEntry(PassageId("p"), VersionId("v"), "督导工作", ("一、职责",), "正文。")])
    for words in "督导", "职责", "正文":
        assert [key for key, _ in index.search(index.parse(words), limit=5)] == ["p"]


def test_adding_again_replaces(filled: LexicalIndex) -> None:
    filled.add([_entry("p0", "全新的内容")])
    assert filled.count() == len(_TEXTS)
    assert "p0" not in dict(filled.search(filled.parse("党性"), limit=10))
    assert filled.search(filled.parse("全新"), limit=10)[0][0] == "p0"


def test_removed_versions_and_passages_are_not_found(filled: LexicalIndex) -> None:
    filled.remove([VersionId("v0"), VersionId("unknown")])
    filled.remove_passages([PassageId("p4"), PassageId("unknown")])
    assert sorted(filled.ids()) == ["p2", "p3", "p5"]
    assert filled.count() == 3
    everything = filled.parse("".join(_TEXTS))
    assert set(dict(filled.search(everything, limit=10))) == {"p2", "p3", "p5"}


def test_only_the_versions_asked_for_are_found_with_their_score(filled: LexicalIndex) -> None:
    query = filled.parse("学习研究数据要")
    everywhere = dict(filled.search(query, limit=10))
    within = dict(filled.search(query, limit=10, within=[VersionId("v2"), VersionId("v1")]))
    assert set(within) == set(everywhere) & {"p2", "p3", "p4", "p5"}
    assert all(within[key] == pytest.approx(everywhere[key]) for key in within)
    assert filled.search(query, limit=10, within=[]) == []


def test_many_names_are_no_obstacle(filled: LexicalIndex) -> None:
    query = filled.parse("数据共享")
    names = [f"unknown{i}" for i in range(2000)]
    assert filled.search(query, limit=10, within=[VersionId(n) for n in [*names, "v2"]]) == filled.search(
        query, limit=1
    )
    scores = filled.score(query, [PassageId(n) for n in [*names, "p4"]])
    assert scores[PassageId("p4")] == pytest.approx(filled.search(query, limit=1)[0][1])
    assert len(scores) == 2001


def test_named_passages_score_as_in_the_search(filled: LexicalIndex) -> None:
    query = filled.parse("学习研究数据要")
    everywhere = dict(filled.search(query, limit=10))
    ids = [PassageId(f"p{i}") for i in range(len(_TEXTS))]
    assert filled.score(query, ids) == pytest.approx({key: everywhere.get(key, 0.0) for key in ids})


def test_the_parts_of_an_explanation_add_up_to_the_score(filled: LexicalIndex) -> None:
    query = filled.parse("数据共享与调查研究")
    scores = dict(filled.search(query, limit=10))
    for key, terms in filled.explain(query, list(scores)).items():
        assert sum(term.score for term in terms) == pytest.approx(scores[key])
        assert [t.score for t in terms] == sorted((t.score for t in terms), reverse=True)
        assert all(term.idf == query.idf[term.term] for term in terms)


def test_words_that_the_corpus_lacks_weigh_most(filled: LexicalIndex) -> None:
    query = filled.parse("要 quantum")
    assert query.idf["quantum"] == pytest.approx(math.log(1 + (6 + 0.5) / 0.5))
    assert query.idf["要"] == pytest.approx(math.log(1 + (6 - 2 + 0.5) / 2.5))
    assert query.ceiling == pytest.approx(sum(query.idf.values()))


def test_repeated_words_of_a_question_count_once(filled: LexicalIndex) -> None:
    assert filled.parse("quantum quantum") == filled.parse("quantum")


def test_a_very_long_question_keeps_the_rarest_words_that_are_there(filled: LexicalIndex) -> None:
    query = filled.parse("".join(chr(0x5000 + i) for i in range(1900)) + "数据孤岛")
    assert len(query.idf) == 256
    assert filled.search(query, limit=1)[0][0] == "p4"


def test_scores_equal_those_of_bm25s(filled: LexicalIndex) -> None:
    held = [filled.tokens(text) for text in _TEXTS]
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    oracle.index(held, show_progress=False)
    query = filled.parse("怎样推动数据共享、做好调查研究 research")
    known = [token for token in query.idf if any(token in tokens for tokens in held)]
    # bm25s leaves out the constant factor k1 + 1 of the original formula, which tantivy keeps.
    wanted = oracle.get_scores(known) * 2.2
    scores = filled.score(query, [PassageId(f"p{i}") for i in range(len(_TEXTS))])
    assert np.allclose([scores[PassageId(f"p{i}")] for i in range(len(_TEXTS))], wanted, rtol=1e-4)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_question_at_all_is_safe(filled: LexicalIndex, question: str) -> None:
    query = filled.parse(question)
    found = filled.search(query, limit=3)
    assert filled.score(query, [key for key, _ in found]) == pytest.approx(dict(found))


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    first = TantivyIndex(tmp_path)
    first.add([_entry("p", "重启以后还在")])
    first.close()
    second = TantivyIndex(tmp_path)
    assert second.search(second.parse("重启"), limit=1)[0][0] == "p"


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first, second = TantivyIndex(tmp_path), TantivyIndex(tmp_path)
    first.add([_entry("p", "甲")])
    with pytest.raises(StoreUnavailable):
        second.add([_entry("q", "乙")])
    first.close()
    second.add([_entry("q", "乙")])
    assert second.count() == 2
    second.close()


def test_a_damaged_folder_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(IndexCorrupt, match=str(tmp_path)) as refused:
        TantivyIndex(tmp_path)
    assert "xuesi reindex" in refused.value.hint


_SAID = "学思想、强党性、重实践、建新功"


def _with(index: LexicalIndex, phrase: str, **options: Any) -> list[str]:
    return [key for key, _ in index.search(index.parse(phrase), limit=10, phrases=[phrase], **options)]


@pytest.mark.parametrize(
    "written",
    ["学思想、强党性", "学思想，强党性", "學思想強黨性", "学 思想\n强党性", "强党性", "学思想", "强", _SAID],
)
def test_a_phrase_is_found_however_it_is_written(filled: LexicalIndex, written: str) -> None:
    assert _with(filled, written) == ["p0"]
    assert filled.having(written, [PassageId(f"p{n}") for n in range(6)]) == {"p0"}


@pytest.mark.parametrize(
    "written", ["强党性、学思想", "学强党性", "思想党性", "！", "research finding", "search findings"]
)
def test_a_phrase_is_not_found_where_its_words_stand_otherwise(filled: LexicalIndex, written: str) -> None:
    assert _with(filled, written) == []
    assert filled.having(written, [PassageId(f"p{n}") for n in range(6)]) == set()


def test_a_phrase_reaches_over_line_ends_but_not_from_title_to_text(index: LexicalIndex) -> None:
    index.add([
        LexicalEntry(PassageId("a"), VersionId("v"), "重实践", ("枫桥经验",), "建新功，强\n党性"),
    ])  # fmt: skip
    assert _with(index, "强党性") == ["a"]
    assert _with(index, "枫桥经验") == ["a"]
    assert _with(index, "重实践枫桥") == _with(index, "经验建新功") == []


def test_phrases_all_hold_and_versions_restrict_them(index: LexicalIndex) -> None:
    index.add([_entry("a", "学思想，强党性"), _entry("b", "强党性，学思想", version="v2"), _entry("c", "强党性")])
    query = index.parse("学思想强党性")
    assert {key for key, _ in index.search(query, limit=9, phrases=["学思想", "强党性"])} == {"a", "b"}
    assert [key for key, _ in index.search(query, limit=9, phrases=["强党性"], within=[VersionId("v2")])] == ["b"]


def test_a_phrase_is_found_whether_or_not_the_questions_words_fit(filled: LexicalIndex) -> None:
    assert filled.search(filled.parse("天气"), limit=9, phrases=["强党性"]) == [(PassageId("p0"), 0.0)]


def test_an_index_made_before_there_were_phrases_goes_on_without_them(tmp_path: Path) -> None:
    earlier = tantivy.Index(lexical._schema(ordered=False), path=str(tmp_path))
    writer = earlier.writer(num_threads=1)
    writer.add_document(tantivy.Document(id="old", version="v", body="强 党 性 强党 党性"))
    writer.commit()
    writer.wait_merging_threads()
    index = TantivyIndex(tmp_path)
    index.add([_entry("new", "强党性")])
    assert not index.has_phrases
    assert {key for key, _ in index.search(index.parse("党性"), limit=9)} == {"old", "new"}
    assert _with(index, "强党性") == []
    assert index.having("强党性", [PassageId("new")]) == set()
    index.close()
