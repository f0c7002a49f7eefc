"""How is text made comparable, cut into sentences, and given its context, without losing where anything stands? And how is a number said?"""

import re
import unicodedata
from collections.abc import Sequence

from xuesi.core.domain import Span

# A sentence ends after 。！？； or … with the closing quotes and brackets that follow, after . ! ? before white space and no digit or
# lower-case letter, and at a line end.
_SENTENCE_END = re.compile(
    r"""[。！？；…]+[”’」』）》〉】\]"')]*"""
    r"""|(?<![.!?])[.!?]++["'”’)\]]*+(?=\s++[^\sa-z])"""
    r"""|\n+"""
)
_LINE_END = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ud800-\udfff]")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|No|Nos|Art|Fig|Vol|vs|etc|e\.g|i\.e|cf|St|Jr|Sr|U\.S|[A-Z])\.$")
_ITEM_NUMBER = re.compile(
    r"\s*\(?\d{1,3}\."
)  # stands before its item; a number elsewhere may well end a sentence: "It began in 2023."


def normalise(text: str) -> tuple[str, list[int]]:
    """NFKC and lower case, code point by code point, with the way back.

    Returns:
        The normalised text, and for each of its code points the index of the code point of `text` that it came from.
        Composition across code points (a letter followed by a combining mark) is left as it is, so that offsets stay exact.
    """
    out: list[str] = []
    origin: list[int] = []
    for i, char in enumerate(text):
        folded = char if char.isascii() else unicodedata.normalize("NFKC", char)
        for piece in folded.lower():
            out.append(piece)
            origin.append(i)
    return "".join(out), origin


def canonical(text: str) -> str:
    r"""`text` as a version keeps it: `\n` line ends, no byte order mark, no NUL or other control characters, no lone surrogates."""
    return _UNWANTED.sub("", _LINE_END.sub("\n", text))


def sentences(text: str) -> list[Span]:
    """The sentences of a text as spans without surrounding white space, in order; together they hold every code point that is not white space."""
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group()[0] == "." and _ends_nothing(text, start, match.end()):
            continue
        _append_trimmed(spans, text, start, match.end())
        start = match.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def _ends_nothing(text: str, start: int, end: int) -> bool:
    """Whether the full stop at `end` belongs to an abbreviation, or to the number of an item with which the sentence starts."""
    return bool(_ABBREVIATION.search(text, max(start, end - 9), end) or _ITEM_NUMBER.fullmatch(text, start, end))


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def in_context(title: str, heading_path: Sequence[str], text: str) -> tuple[str, int]:
    """A passage as it is embedded and indexed: title and heading path before it.

    Returns:
        The joined text, and where in it the passage begins.
    """
    lines = [title, *(h for h in heading_path if h != title)]
    head = "\n".join(line for line in lines if line)
    joined = f"{head}\n{text}" if head else text
    return joined, len(joined) - len(text)


def has_words(text: str) -> bool:
    """Whether there is any letter or digit to look for."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its English noun: 1 document, 2 documents. `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
