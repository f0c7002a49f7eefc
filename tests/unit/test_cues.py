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
