"""Are texts and questions cut into the same tokens, however they are written?"""

from hypothesis import given
from hypothesis import strategies as st

from index.tokens import tokens, units


def test_han_gives_words_pairs_and_characters() -> None:
    assert tokens("主题教育") == ["主题", "教育", "主题", "题教", "教育", "主", "题", "教", "育"]


def test_traditional_becomes_simplified() -> None:
    assert tokens("開展調查研究") == tokens("开展调查研究")


def test_full_width_and_upper_case_are_folded() -> None:
    assert tokens("ＧＤＰ　Growth２０２３") == tokens("gdp growth2023") == ["gdp", "growth2023"]


def test_one_character_alone_is_among_the_tokens_of_every_text_that_has_it() -> None:
    assert tokens("党") == ["党"]
    assert "党" in tokens("共产党员先锋模范作用")


def test_numbers_stay_whole() -> None:
    assert tokens("增长3.5%，共1,234,567.8元，第2、3条") == [
        *tokens("增长"),
        "3.5",
        "共",
        "1234567.8",
        "元",
        "第",
        "2",
        "3",
        "条",
    ]


def test_a_number_is_found_in_any_writing() -> None:
    for written in ("二〇二三年", "２０２３年", "2023-05-01"):
        assert "2023" in tokens(f"会议于{written}举行")
    assert "〔2023〕15号" in set(tokens("国办发〔2023〕15号")) & set(tokens("國辦發［２０２３］１５號"))


def test_english_words_are_split_at_hyphens_and_lose_their_possessive() -> None:
    assert tokens("The Party's long-term plan; don’t") == ["the", "party", "long", "term", "plan", "don't"]


def test_scripts_meet_without_a_space() -> None:
    assert tokens("5G网络AI") == ["5g", "网络", "网络", "网", "络", "ai"]


def test_what_is_no_word_gives_nothing() -> None:
    assert tokens("，。！？…—— \n\t_😀\ud800\x00") == []


def test_an_endless_word_is_cut() -> None:
    assert tokens("a" * 100_000) == ["a" * 64]


@given(st.text())
def test_any_text_gives_tokens_without_white_space(text: str) -> None:
    assert all(token and not any(c.isspace() for c in token) and len(token) <= 64 for token in tokens(text))


@given(st.text(), st.text())
def test_a_line_end_separates(first: str, second: str) -> None:
    assert tokens(f"{first}\n{second}") == tokens(first) + tokens(second)


def test_a_wording_is_the_same_whatever_stands_between_its_characters() -> None:
    whole = units("学思想强党性重实践建新功")
    for written in (
        "学思想、强党性、重实践、建新功",
        "學思想，強黨性，重實踐，建新功",
        "学思想\n强党性\n重实践　建新功！",
    ):
        assert units(written) == whole
    assert units("Ｔhe “Fengqiao” experience") == ["the", "fengqiao", "experience"]


@given(st.text(alphabet="学習 ，“a1Ｂ\n", max_size=40), st.text(alphabet="学習 ，“a1Ｂ\n", max_size=40))
def test_a_text_says_what_its_parts_say(before: str, after: str) -> None:
    assert units(f"{before}，{after}") == [*units(before), *units(after)]
