"""What does a question mean that says only what is new? 那第二点呢？ and "and in 2024?" are completed from the conversation, by rules.

A question that stands by itself is left as it is, and so is one of which the rules cannot tell: to complete it wrongly is worse than not at all.
Of the conversation only the last turns are looked at; nothing is kept.
"""

import re
from collections.abc import Sequence

from answer.followup import chinese, english
from answer.followup.lists import items
from answer.followup.thread import HAN, Completed, Thread
from xuesi.core.domain import Turn
from xuesi.core.text import has_words

_TURNS = 12
_THANKS = re.compile(
    r"(?:(?:谢谢|多谢|好的?|明白|知道|你好|您好|thanks?|thank you|ok(?:ay)?|hello|hi)(?:你|您|了|啦|very much|a lot)?[\s，。,.!！~]*)+",
    re.IGNORECASE,
)


def completed(question: str, conversation: Sequence[Turn], *, most_chars: int) -> str | None:
    """The whole question, where this one only goes on from the conversation; None where it stands by itself.

    Args:
        question: As it was asked.
        conversation: The turns before it, oldest first. Its own follow-ups are completed first, in the same way.
        most_chars: A longer question is neither gone on from nor made.
    """
    if len(question) > most_chars:
        return None
    thread: Thread | None = None
    for turn in conversation[-_TURNS:]:
        said = turn.content.strip()
        if turn.role == "assistant":
            told = items(said, of=chinese.counted(thread.question)) if thread else ()
            thread = thread and Thread(thread.question, told or thread.items)
        elif has_words(said) and len(said) <= most_chars and not _THANKS.fullmatch(said):
            whole = _completed(said, thread)
            thread = whole.thread if whole else Thread(said)
    whole = _completed(question.strip(), thread)
    return whole.question if whole and len(whole.question) <= most_chars else None


def _completed(question: str, thread: Thread | None) -> Completed | None:
    if thread is None or not has_words(question):
        return None
    rules = chinese.completed if HAN.search(question) else english.completed
    return rules(question, thread)
