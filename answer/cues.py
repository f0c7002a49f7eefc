"""What sort of answer does a question ask for, and does a sentence look like one? Small patterns for Chinese and English.

A cue only tips the balance between sentences of passages that were found already, and lessens the confidence where what is asked for is
plainly not among them; it never finds or refuses one by itself.
Traditional forms stand beside the simplified ones, because the text of a version is never converted.
"""

import re
from collections.abc import Sequence

_NUMERAL = r"[0-9０-９〇零一二三四五六七八九十百千万萬亿億两兩]"
_DATE = (
    rf"{_NUMERAL}{{1,4}}\s*(?:年|月|日|号|號|世[纪紀])|\d{{1,2}}:\d{{2}}|\b(?:1\d|20)\d\d\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)

# What the question asks for; what a sentence that gives it looks like.
_CUES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(question, re.IGNORECASE), re.compile(sentence))
    for question, sentence in (
        (
            r"何[时時年]|什[么麼][时時](?:候|间|間)|[哪那]一?[年月日天]|几[月号日]|幾[月號日]|多久|\bwhen\b|what (?:year|date)",
            _DATE,
        ),
        (r"多少|[几幾](?!乎)|第几|\bhow (?:many|much|long|old|far)\b|what percentage", rf"\d|{_NUMERAL}{{2}}|{_NUMERAL}[个個名项項条條次位家种種倍成]"),
        (r"[谁誰]|何人|哪[一]?[位个個]人|\bwhom?\b", r"[由是][^，。]{2,12}|[A-Z][a-z]+ [A-Z][a-z]+|·"),
        (r"哪[里裡兒儿]|何[处處地]|什[么麼]地方|\bwhere\b", r"[省市县縣区區州国國村镇鎮院馆館]|位[于於]|在|\b(?:in|at|near) [A-Z]"),
        (r"什[么麼]是|是什[么麼]|何[谓謂]|指什[么麼]|定义|定義|\bwhat (?:is|are)\b|\bdefin", r"[是指]|[称稱叫][为為作]|所[谓謂]|\b(?:is|are|means|refers to)\b"),
        (r"[为為]什[么麼]|[为為]何|何以|原因|\bwhy\b|\breason", r"因[为為而此]|由[于於]|所以|以免|以便|[为為]了|旨在|\b(?:because|due to|so that|therefore|in order to)\b"),
        (r"如何|怎[样樣么麼]|\bhow (?:do|does|is|are|to|can|should|did)\b", r"[应應][当當]|通[过過]|按照|采[用取]|[须須]|首先|\b(?:by|through|must|should|first)\b"),
        (r"[哪那]些|哪[几幾]|包括什[么麼]|\bwhich\b.*\bare\b|what are|\blist\b", r"、[^、]+、|[：:]$|包括|分[为為]|一是|首先|\binclud|, [^,]+, "),
    )
)  # fmt: skip

# A question for a year, month or day, and one for a number, of what is counted in Chinese if it names it.
_ASKS_DATE = re.compile(
    r"何年|[哪那]一?[年月日天]|[几幾][月号號日]|\b(?:what|which) (?:year|date|day)\b", re.IGNORECASE
)
_COUNTED = r"个個名项項条條次位家种種倍成件年天岁歲步"
_ASKS_NUMBER = re.compile(
    rf"(?:百分之[几幾]|多少(?P<all>[\u3400-\u9fff]?)|[几幾](?P<few>[{_COUNTED}]))|\bhow (?:many|much|old)\b|\bwhat percentage\b",
    re.IGNORECASE,
)
_SAME_UNIT = ("个個", "名位人员員", "钱錢元块塊圆圓", "天日", "岁歲龄齡")
_A_DATE = re.compile(_DATE)
_WHOLE_DATE = re.compile(r"\d{4}\s*年(?:\d{1,2}\s*月)?(?:\d{1,2}\s*[日号號])?|\b(?:\d{1,2} )?[A-Z][a-z]+ \d{4}\b")
_A_NUMBER = re.compile(
    rf"\d|{_NUMERAL}{{2}}|{_NUMERAL}[{_COUNTED}]|百分之"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundreds?|thousands?|millions?|half|once|twice)\b",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u9fff]")


def wanted(question: str) -> list[re.Pattern[str]]:
    """The patterns that sentences answering this question tend to show; empty where the question gives no cue."""
    return [sentence for asks, sentence in _CUES if asks.search(question)]


def fit(sentence: str, patterns: list[re.Pattern[str]]) -> float:
    """The share of the patterns that the sentence shows, in [0, 1]; 0 where there is none."""
    return sum(p.search(sentence) is not None for p in patterns) / len(patterns) if patterns else 0.0


def lacks(question: str, sentences: Sequence[str]) -> bool:
    """Whether the question asks for a date or a number and no sentence shows one that could be meant.

    What is part of a date is not the number that is asked for; in a Chinese sentence a number counts if the unit of the question follows it.
    """
    if _ASKS_DATE.search(question):
        return not any(_A_DATE.search(sentence) for sentence in sentences)
    asks = _ASKS_NUMBER.search(question)
    if not asks:
        return False
    unit = asks["all"] or asks["few"]
    of_unit = re.compile(rf"{_NUMERAL}[^，。；]{{0,4}}[{_alike(unit)}]") if unit else _A_NUMBER
    return not any(
        (of_unit if _HAN.search(sentence) else _A_NUMBER).search(_WHOLE_DATE.sub("", sentence))
        for sentence in sentences
    )


def _alike(unit: str) -> str:
    """The unit with those that stand for it."""
    return next((units for units in _SAME_UNIT if unit in units), unit)
