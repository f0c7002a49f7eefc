"""What is said, in which order, and with which places?"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from answer.compose import Draft, compose
from answer.evidence import Evidence
from tests.answer_samples import a_hit, letters
from xuesi.core.domain import Hit, Span


def evidence(hit: Hit, text: str, *, score: float, items: tuple[str, ...] = ()) -> Evidence:
    def span(piece: str) -> Span:
        at = hit.passage.span.start + hit.passage.text.index(piece)
        return Span(at, at + len(piece))

    return Evidence(
        hit=hit, span=span(text), text=text, tokens=frozenset(letters(text)), cosine=0.8, share=0.5, score=score,
        items=tuple(span(item) for item in items),
    )  # fmt: skip


def texts(drafts: list[Draft]) -> list[str]:
    return [draft.text for draft in drafts]


def test_the_best_comes_first_and_the_rest_in_the_order_of_the_text() -> None:
    hit = a_hit("春天播种。夏天耕耘。秋天收获。冬天储藏。")
    ranked = [evidence(hit, f"{t}。", score=1 - i / 20) for i, t in enumerate(["秋天收获", "冬天储藏", "春天播种"])]
    assert texts(compose(ranked, most=5)) == ["秋天收获。", "春天播种。", "冬天储藏。"]


def test_the_same_sentence_in_two_documents_is_one_statement_with_two_places() -> None:
    one, two = a_hit("春天播种。", document="a", version="a"), a_hit("春天 播种。", document="b", version="b")
    (draft,) = compose([evidence(one, "春天播种。", score=1), evidence(two, "春天 播种。", score=0.9)], most=5)
    assert [(p.hit.document.id, p.text) for p in draft.places] == [("a", "春天播种。"), ("b", "春天 播种。")]


def test_what_says_nearly_the_same_is_not_repeated_unless_its_numbers_differ() -> None:
    one = a_hit("会议在北京召开，参会者有30人。", document="a", version="a")
    two = a_hit("会议在北京召开了，参会者有30人。", document="b", version="b")
    three = a_hit("会议在北京召开，参会者有45人。", document="c", version="c")
    four = a_hit("会议在北京召开，参会者有九人。", document="d", version="d")
    ranked = [evidence(h, h.passage.text, score=1 - i / 100) for i, h in enumerate([one, two, three, four])]
    assert texts(compose(ranked, most=5)) == [h.passage.text for h in (one, three, four)]


def test_a_number_in_another_form_is_the_same_number() -> None:
    one = a_hit("全国有３０万个支部，两万亿元投入。", document="a", version="a")
    two = a_hit("全国有30萬个支部，兩萬億元投入了。", document="b", version="b")
    pair = [
        replace(evidence(h, h.passage.text, score=1 - i / 100), tokens=frozenset("全国有支部元投入"))
        for i, h in enumerate([one, two])
    ]
    assert texts(compose(pair, most=5)) == [one.passage.text]


def test_no_more_than_the_most_statements() -> None:
    hit = a_hit("春天播种。夏天耕耘。秋天收获。冬天储藏。")
    ranked = [evidence(hit, f"{t}。", score=1) for t in ("春天播种", "夏天耕耘", "秋天收获")]
    assert len(compose(ranked, most=2)) == 2


def test_what_is_far_below_the_best_is_not_said() -> None:
    hit = a_hit("春天播种。夏天耕耘。")
    assert texts(compose([evidence(hit, "春天播种。", score=2), evidence(hit, "夏天耕耘。", score=0.5)], most=5)) == [
        "春天播种。"
    ]


def test_a_list_is_told_whole_with_its_items_shared_out() -> None:
    hit = a_hit("要求：\n一、学\n二、思\n三、践\n四、悟\n五、行\n末句。", start=10)
    items = ("一、学", "二、思", "三、践", "四、悟", "五、行")
    ranked = [evidence(hit, "要求：", score=1, items=items), evidence(hit, "末句。", score=0.9)]
    assert texts(compose(ranked, most=4)) == ["要求：", "一、学\n二、思", "三、践", "四、悟\n五、行"]
    assert texts(compose(ranked, most=1)) == ["要求：\n一、学\n二、思\n三、践\n四、悟\n五、行"]


def test_a_series_in_one_sentence_is_one_statement_and_takes_the_room_of_one() -> None:
    hit = a_hit("要求有三：一是学；二是思；三是践。末句。")
    ranked = [
        evidence(hit, "要求有三：一是学；", score=1, items=("二是思；", "三是践。")),
        evidence(hit, "末句。", score=0.9),
    ]
    assert texts(compose(ranked, most=2)) == ["要求有三：一是学；二是思；三是践。", "末句。"]


def test_an_item_that_its_list_has_told_is_not_said_again() -> None:
    hit = a_hit("要求：\n一、学\n二、思")
    ranked = [evidence(hit, "要求：", score=1, items=("一、学", "二、思")), evidence(hit, "二、思", score=0.9)]
    assert texts(compose(ranked, most=5)) == ["要求：", "一、学", "二、思"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text("春夏秋冬12", min_size=1, max_size=12)), max_size=12),
    st.integers(1, 6),
)
def test_statements_are_few_different_and_the_text_at_their_places(rows: list[tuple[str, str]], most: int) -> None:
    ranked = [
        evidence(a_hit(f"{text}。", document=d, version=d, start=i * 20, ordinal=i), f"{text}。", score=1.0 - i / 1000)
        for i, (d, text) in enumerate(rows)
    ]
    drafts = compose(ranked, most=most)
    assert len(drafts) <= most
    assert len({draft.text for draft in drafts}) == len(drafts)
    assert all(draft.text == draft.places[0].text for draft in drafts)
    assert bool(drafts) == bool(rows)
    if rows:
        assert drafts[0].text == ranked[0].text
