"""Which words does a sentence say, one after the other, and what is each of them?"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class WordKind(StrEnum):
    """What a word does in its sentence."""

    NAME = "name"
    NOUN = "noun"
    ACT = "act"
    NUMBER = "number"
    FUNCTION = "function"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Word:
    """A word in compatible forms (NFKC), lower case and simplified characters; a number as its value in Arabic digits.

    `unit` is what follows a number: 年 of 2023年, % of 15% and 百分之十五, empty where nothing does. ACT is a verb or says how something is; in English,
    where no tagger tells them apart, every word that is no name, number or function word. BREAK is the punctuation between clauses.
    """

    text: str
    kind: WordKind
    unit: str = ""


Words = Callable[[str], list[Word]]
