"""From what does a follow-up go on, and in which ways is it completed? Shared by the rules of both languages."""

import re
from dataclasses import dataclass
from datetime import date

from xuesi.core.periods import Found, periods

ENDS = "？?。.！!…~～ \n\t"

HAN = re.compile(r"[\u3400-\u9fff]")

_ANY_DAY = date(2000, 1, 1)  # only where a period stands matters here


@dataclass(frozen=True, slots=True)
class Thread:
    """A question that stands by itself, and the items of the list that answered it."""

    question: str
    items: tuple[str, ...] = ()

    @property
    def bare(self) -> str:
        """The question without its question mark."""
        return self.question.rstrip(ENDS)

    def then(self, question: str) -> str:
        """The question and another one after it."""
        if HAN.search(self.question):
            return f"{self.bare}？{question}"
        return f"{self.bare}? {question[0].upper()}{question[1:]}"


@dataclass(frozen=True, slots=True)
class Completed:
    """A whole question, and from what the next one goes on."""

    question: str
    thread: Thread


def instead(question: str) -> Completed:
    """A question that takes the place of the one before."""
    return Completed(question, Thread(question))


def after(question: str, thread: Thread) -> Completed:
    """A question that says something only after the one before, from which the next one goes on too."""
    return Completed(question, thread)


def only_period(words: str) -> Found | None:
    """The period that these words begin with; None where they begin otherwise."""
    found = periods(words, today=_ANY_DAY)
    return found[0] if found and not words[: found[0].span.start].strip() else None


def of_period(words: str, thread: Thread) -> Completed:
    """The thread's question asked of the period in these words: in the place of its own, else beside it. Written as its language writes years."""
    found = periods(thread.question, today=_ANY_DAY)
    chinese = HAN.search(thread.question) is not None
    if words[-1:].isdecimal() and chinese:
        words += "年"
    elif words.endswith("年") and not chinese:
        words = words.removesuffix("年").strip()
    if len(found) != 1:
        lead = "" if words[:1].isalpha() else "in "  # since 2024, last year
        return instead(f"{words}{thread.bare}？" if chinese else f"{thread.bare} {lead}{words}?")
    before, rest = thread.question[: found[0].span.start], thread.question[found[0].span.end :]
    if words[:1].isascii() and words[:1].isalpha():
        before = before.removesuffix("in ").removesuffix("during ")
    return instead(before + words + rest)
