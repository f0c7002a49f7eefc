"""Which tokens does a text have, for documents and questions alike? Used by the lexical index, and by answers to compare sentences.

Han characters give their words (jieba, search mode), their pairs and themselves; whatever else is written with spaces gives its words. Numbers
and dates give themselves in Arabic digits besides, however they are written.
"""

import re
import unicodedata

import opencc
import rjieba

from index.numerals import numbers

FORM = "3"  # changed whenever the lexical index holds other tokens of a text than before: a server then makes its indexes anew
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3005\u3007"
_RUN = re.compile(
    rf"(?P<han>[{HAN}]+)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)*|\d+(?:\.\d+)+)"
    rf"|(?P<word>[^\W_{HAN}]+(?:['’][^\W_{HAN}]+)*)"
)
_MOST_CHARS = 64  # what is longer is no word; its beginning is enough to find it again
_HAN_RUN = re.compile(rf"[{HAN}]+")
_UNIT = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_TO_SIMPLIFIED = opencc.OpenCC("t2s")


def tokens(text: str) -> list[str]:
    """The tokens of a text: compatible forms folded (NFKC), lower case, traditional characters made simplified, punctuation dropped.

    Of a run of Han characters: its words of two characters and more, shorter words within long ones included, then all its pairs,
    then all its characters, so that a question of one character finds something too. A word of two characters counts twice,
    as word and as pair. Numbers stay whole, without the commas between thousands. The possessive 's is dropped. After each line come
    the numbers that it says in other ways (`index.numerals`).

    Returns:
        Tokens without white space, in this order run by run, with repetitions.
    """
    found: list[str] = []
    for line in unicodedata.normalize("NFKC", text).lower().split("\n"):
        for run in _RUN.finditer(line):
            if run["han"]:
                found += _han(run["han"])
            elif run["number"]:
                found.append(run["number"].replace(",", "")[:_MOST_CHARS])
            else:
                found.append(run["word"].replace("’", "'").removesuffix("'s")[:_MOST_CHARS])
        found += (number[:_MOST_CHARS] for number in numbers(line))
    return found


def simplified(text: str) -> str:
    """The text with traditional characters made simplified."""
    return str(_TO_SIMPLIFIED.convert(text))


def _han(run: str) -> list[str]:
    run = simplified(run)
    words = [word for word in rjieba.cut_for_search(run) if len(word) > 1]
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    return [*words, *pairs, *run]


def units(text: str) -> list[str]:
    """What a text says in order, for comparing wordings: its Han characters one by one, and its other words whole.

    Compatible forms are folded, upper case and traditional characters too; punctuation and white space are left out.
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    return [unit[:_MOST_CHARS] for unit in _UNIT.findall(_HAN_RUN.sub(_simplified, folded))]


def _simplified(run: re.Match[str]) -> str:
    return simplified(run[0])
