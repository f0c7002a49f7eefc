"""Which words of a question say what it is about, and how much of it does a text hold?

Words that only ask, such as 什么, 哪几项 or how many, stand in no answer, and the library does not have to hold them. Where a library is small
or mostly of another language, its idf takes them for the rarest words of all, so they are left out before anything is counted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xuesi.core.ports import LexicalQuery

Tokens = Callable[[str], list[str]]

# In so many passages idf and the mere number of tokens have the same say in what a text holds of the question: idf that are counted
# from a handful of passages give nearly all weight to the words that the library lacks, the question's own turns of phrase among them.
_FEW_PASSAGES = 50

ASKING_IN_CHINESE = (
    r"请问|請問|[为為](?:什[么麼]|何)|(?:是|有|做|说明)?[什甚][么麼](?:样的?|樣的?)?|怎[么麼]?[样樣]的?|怎[么麼]|如何|何[时時地处處人]"
    r"|有?[哪那][些几幾]?[一二两兩三四五六七八九十]?(?:[个個项項种種条條点點类類样樣位里裡裏儿兒]|方面|东西|東西){0,2}|[谁誰]|多少|多久|[几幾](?=[\u3400-\u9fff])|是否|[吗嗎呢]"
)
_ASKING = re.compile(
    ASKING_IN_CHINESE
    + r"|\b(?:what|which|who|whom|whose|when|where|why|how(?: (?:many|much|long|often))?|a|an|the|of|to|in|on|at|for|by|with|from|as|and|or"
    r"|is|are|was|were|be|been|do|does|did|has|have|had|can|could|should|would|will|may|must|it|its|this|that|these|those|there)\b",
    re.IGNORECASE,
)
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ies|ied|y|es|s|ed|ing|e)$")


@dataclass(frozen=True, slots=True)
class Asked:
    """The tokens that say what a question is about, each with its idf; `passages` is how many passages the idf are counted from."""

    idf: Mapping[str, float]
    passages: int

    def share(self, held: frozenset[str]) -> float:
        """The part of the question that these words, as `words_of` gives them, hold: of its idf, and in a small library also of its tokens; in [0, 1]."""
        total = sum(self.idf.values())
        if total <= 0:
            return 0.0
        of_idf = sum(weight for word, weight in self.idf.items() if word in held) / total
        of_words = sum(word in held for word in self.idf) / len(self.idf)
        known = self.passages / (self.passages + _FEW_PASSAGES)
        return known * of_idf + (1 - known) * of_words


def asked(question: str, query: LexicalQuery, *, tokens: Tokens) -> Asked:
    """What is left of the question without the words that only ask; all of it where nothing would be left.

    Args:
        question: As it was asked.
        query: The same in the lexical index's tokens, with their idf.
        tokens: The lexical index's tokens of a text.
    """
    kept = set(tokens(_ASKING.sub(" ", question)))
    idf: dict[str, float] = {}
    for token, weight in query.idf.items():
        if token in kept or not kept & query.idf.keys():
            word = stem(token)
            idf[word] = max(weight, idf.get(word, 0.0))
    return Asked(idf, query.passages)


def words_of(text: str, *, tokens: Tokens) -> frozenset[str]:
    """The tokens of a text without English endings, so that "visited" meets "visit"."""
    return frozenset(map(stem, tokens(text)))


def stem(token: str) -> str:
    """An English word without its ending; any other as it is."""
    return _ENDING.sub("", token) if token.isascii() else token
