"""Does a question's form find the sentences that fit it?"""

import pytest

from answer import cues


@pytest.mark.parametrize(
    ("question", "fits", "misses"),
    [
        ("会议什么时候召开？", "会议于2023年召开。", "会议由院长主持。"),
        ("會議是什麼時候召開？", "會議於二〇二三年召開。", "會議由院長主持。"),
        ("When was it held?", "It was held on 3 May 2023.", "It was held in the hall."),
        ("一共有多少人参加？", "共有三十名干警参加。", "干警都参加了。"),
        ("为什么要调研？", "因为情况会变。", "调研很多。"),
        ("要求有哪些？", "要求包括学习、调研、总结。", "要求很高。"),
        ("什么是数据孤岛？", "数据孤岛是指互不相通的数据。", "数据越来越多。"),
        ("How can it be solved?", "It is solved by sharing.", "It is a problem."),
    ],
)
def test_the_cue_tells_the_sentences_apart(question: str, fits: str, misses: str) -> None:
    patterns = cues.wanted(question)
    assert cues.fit(fits, patterns) > cues.fit(misses, patterns)


def test_a_question_without_a_cue_prefers_nothing() -> None:
    assert cues.fit("任何句子。", cues.wanted("学思用贯通")) == 0.0


@pytest.mark.parametrize(
    ("question", "has", "has_not"),
    [
        ("一共有多少人参加？", "共有三十余名干警参加。", "干警都参加了，2023年6月16日结束。"),
        ("门票多少钱？", "门票80元。", "据2023年6月16日报道，参观了书院。"),
        ("申请有几天期限？", "应当在五日内申请。", "应当及时申请。"),
        ("是哪一年建成的？", "1976年建成。", "由工匠建成。"),
        ("占百分之几？", "占百分之三。", "占多数。"),
        ("How many people took part?", "Thirty people took part.", "Many people took part on 16 June 2023."),
        ("How many people took part?", "共有30人参加。", "大家都参加了。"),
        ("一共有多少人参加？", "In all 30 took part.", "Everybody took part."),
        ("Which year was it built?", "It was built in 1976.", "It was built by hand."),
    ],
)
def test_a_date_or_a_number_that_is_asked_for_is_missed(question: str, has: str, has_not: str) -> None:
    assert not cues.lacks(question, [has_not, has])
    assert cues.lacks(question, [has_not])


@pytest.mark.parametrize("question", ["什么时候发言最好？", "怎样调研？", "What is a baton?"])
def test_other_questions_lack_nothing(question: str) -> None:
    assert not cues.lacks(question, ["主持人最后发言。"])
