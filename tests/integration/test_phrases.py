"""Is a wording that stands in quotes, in book-title marks or in the dictionary found whole, before passages that have its words here and there?"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import indexes, lexical, pipeline
from index.rebuild import renew
from tests.index_samples import Library, day, open_library
from xuesi.core.domain import Filters, PhraseSource

_SAID = "总要求是学思想、强党性、\n重实践、建新功。"
_SCATTERED = [f"第{n}讲：学习思想，党性要强，实践重在建功，强党性和新思想，新功与学思想。" for n in range(60)]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


def _phrases(library: Library, query: str, **options: object) -> list[tuple[str, str, bool]]:
    found = library.searcher.search(query, **options).phrases  # type: ignore[arg-type]
    return [(it.text, it.source.value, it.found) for it in found]


def test_a_quoted_wording_must_stand_in_a_hit(library: Library) -> None:
    library.publish("讲稿", _SCATTERED)
    library.publish("通知", [_SAID, "别的要求。"])
    assert _SAID not in library.found("学习思想，党性要强，实践重在建功，新思想", limit=10)
    for query in (
        "“学思想，强党性，重实践，建新功”学习思想，党性要强",
        "「學思想強黨性重實踐建新功」学习思想，党性要强",
    ):
        assert library.found(query, limit=10) == [_SAID]
    hit = library.searcher.search("“强党性、重实践”").hits[0]
    assert hit.explain.phrases > 0


def test_without_strict_it_is_preferred(library: Library) -> None:
    library.publish("讲稿", _SCATTERED)
    library.publish("通知", [_SAID])
    hits = library.found("“强党性、重实践”怎么讲", limit=10, strict=False)
    assert hits[0] == _SAID
    assert len(hits) == 10


def test_what_no_passage_has_is_said_and_searched_by_its_words(library: Library) -> None:
    library.publish("通知", [_SAID])
    assert library.found("“强党性、重理论”") == [_SAID]
    assert _phrases(library, "“强党性、重理论”和“强党性、重实践”") == [
        ("强党性、重理论", "quoted", False),
        ("强党性、重实践", "quoted", True),
    ]


def test_of_several_quoted_wordings_hits_have_all_or_else_some(library: Library) -> None:
    library.publish("甲", ["强党性与重实践。", "强党性。", "重实践。", "都没有。"])
    assert library.found("“强党性”“重实践”") == ["强党性与重实践。"]
    assert library.found("“强党性”“重实践”“从未说过”") == ["强党性与重实践。"]
    assert set(library.found("“强党性。”“都没有”")) == {"强党性与重实践。", "强党性。", "都没有。"}


def test_a_wording_is_looked_for_under_the_filters_and_among_what_is_live(library: Library) -> None:
    for n in range(30):
        library.publish(f"旧文{n}", [f"第{n}次强党性。"], published_on=day("2020-01-01"))
    new = library.publish("新文", ["今年强党性。"], published_on=day("2024-01-01"))
    assert library.found("“强党性”", filters=Filters(published_from=day("2023-01-01"))) == ["今年强党性。"]
    none = Filters(published_from=day("2025-01-01"))
    assert _phrases(library, "“强党性”", filters=none) == [("强党性", "quoted", False)]
    library.catalogue.delete_document(new.document_id, at=new.added_at, purge_after=new.added_at)
    assert _phrases(library, "“今年强党性”") == [("今年强党性", "quoted", False)]
    assert "第3次强党性。" in library.found("“强党性”", limit=30)


def test_a_wording_over_the_border_of_two_passages_is_not_found(library: Library) -> None:
    library.publish("通知", ["要求是学思想、强党性、", "重实践、建新功。"])
    assert _phrases(library, "“学思想、强党性、重实践”") == [("学思想、强党性、重实践", "quoted", False)]
    assert len(library.found("“学思想、强党性、重实践”")) == 2


def test_a_title_is_preferred_and_never_a_must(library: Library) -> None:
    library.publish("枫桥记", ["《枫桥办法》第一条。", "枫桥与办法。", "办法与枫桥。"])
    found = library.found("《枫桥办法》办法与枫桥")
    assert len(found) == 3
    assert _phrases(library, "《枫桥办法》") == [("枫桥办法", "title", True)]
    assert _phrases(library, "《枫桥规定》") == [("枫桥规定", "title", False)]


def test_an_entry_of_the_dictionary_is_preferred_at_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pipeline._PHRASE, PhraseSource.DICTIONARY, 1.0)
    library.publish("经验", ["经验在枫桥，枫桥有经验，经验。", "说起枫桥经验，大家都熟悉它的许多来历和做法。"])
    query = "经验在枫桥经验，枫桥有经验"
    assert library.found(query)[0] == "经验在枫桥，枫桥有经验，经验。"
    library.dictionary.replace(["楓橋經驗"])
    assert library.found(query)[0].startswith("说起")
    assert _phrases(library, query) == [("楓橋經驗", "dictionary", True)]
    library.dictionary.replace([])
    assert library.found(query)[0] == "经验在枫桥，枫桥有经验，经验。"


def test_an_index_of_an_earlier_version_says_nothing_of_phrases_until_it_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = lexical._schema
    with monkeypatch.context() as earlier:
        earlier.setattr(lexical, "_schema", lambda *, ordered: schema(ordered=False))
        earlier.setattr(indexes, "FORM", "2")
        with open_library(tmp_path) as library:
            library.publish("通知", [_SAID])
    with open_library(tmp_path) as library:
        assert library.found("“强党性、重理论”") == [_SAID]
        assert _phrases(library, "“强党性、重理论”") == []
        renew(threading.Event(), indexes=library.indexes, catalogue=library.catalogue, publisher=library.publisher)
        assert _phrases(library, "“强党性、重理论”") == [("强党性、重理论", "quoted", False)]
        assert library.found("“强党性、重实践”") == [_SAID]
