"""Does a line go on with the one before it? Files break lines where a page was full; readers and passages want whole sentences."""

import re
from collections.abc import Collection, Iterable, Sequence

from ingest.length import is_wide, length
from ingest.marks import ends_sentence, opens_paragraph

_HEAD = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)-$")
_TAIL = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"(?<![\w-])[^\W\d_]{2,}(?:-[^\W\d_]+)*(?![\w-])")
# First halves that keep their hyphen; no syllable of a longer word ends a line with them as often.
_WITH_HYPHEN = frozenset(["self", "well", "ex", "half", "high", "low", "long", "short", "full", "part", "cross", "all", "ever", "so-called", "two", "three", "four", "one", "non", "post", "pro", "quasi", "semi", "vice", "anti"])  # fmt: skip
_LONGEST_WORD = 80
_FULL = 0.85  # a line this near to the usual width was broken because it was full


def joint(before: str, after: str) -> str:
    """What stands between two pieces of one sentence: nothing where either side is written without spaces, else a space."""
    if not before or not after or is_wide(before[-1]) or is_wide(after[0]):
        return ""
    return "" if is_hyphenated(before, after) else " "


def is_hyphenated(before: str, after: str) -> bool:
    """Whether a word, or a pair of words with a hyphen, begins in one piece and ends in the other."""
    return before[-1:] == "-" and before[-2:-1].isalpha() and after[:1].islower()


def breaks_word(before: str, after: str, written: Collection[str]) -> bool:
    """Whether the hyphen between two pieces is only there because a line was full: the word is written without it.

    Args:
        before: What ends in a hyphen.
        after: What goes on.
        written: The words that the text has elsewhere, as `words_of` gives them; they decide where they can.
    """
    if not is_hyphenated(before, after):
        return False
    head, tail = _HEAD.search(before[-_LONGEST_WORD:]), _TAIL.match(after)  # `before` may be all of a long paragraph
    if head is None or tail is None:
        return False
    first, second = head.group(1).lower(), tail.group().lower()
    if f"{first}-{second}" in written:
        return False
    return first + second in written or ("-" not in first and first not in _WITH_HYPHEN)


def words_of(lines: Iterable[str]) -> frozenset[str]:
    """The words that stand whole on a line, in lower case; empty where no line ends in a hyphen, since nobody asks then."""
    texts = list(lines)
    if not any(text.endswith("-") for text in texts):
        return frozenset()
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))


def join(lines: Sequence[str], written: Collection[str] = ()) -> str:
    """The lines as one; `written` as in `breaks_word`."""
    joined = ""
    for line in lines:
        if breaks_word(joined, line, written):
            joined = joined[:-1] + line
        else:
            joined += joint(joined, line) + line
    return joined


def unwrap(text: str) -> list[str]:
    """The paragraphs of a plain text: its lines, joined where the file broke them because they were full."""
    lines = text.split("\n")
    width = _wrap_width([line.strip() for line in lines if line.strip()])
    if width is None:
        return [line.strip() for line in lines if line.strip()]
    spaced = sum(not line.strip() for line in lines) > len(lines) // 20
    paragraphs: list[list[str]] = []
    goes_on = False
    for line in lines:
        piece = line.strip()
        if piece:
            if goes_on and not opens_paragraph(piece) and not re.match(r"\s{2,}|\u3000", line):
                paragraphs[-1].append(piece)
            else:
                paragraphs.append([piece])
        full = length(piece) >= _FULL * width
        goes_on = bool(piece) and full and (spaced or not ends_sentence(piece))
    written = words_of(lines)
    return [join(paragraph, written) for paragraph in paragraphs]


def _wrap_width(lines: Sequence[str]) -> float | None:
    """The width at which the file breaks its lines, or None where a line is a paragraph."""
    if len(lines) < 8:  # too few to tell
        return None
    widths = sorted(length(line) for line in lines)
    width = widths[int(len(widths) * 0.95)]
    full = [line for line in lines if length(line) >= _FULL * width]
    broken = sum(not ends_sentence(line) for line in full)
    return width if 12 <= width <= 60 and len(full) > 0.3 * len(lines) and broken > 0.6 * len(full) else None
