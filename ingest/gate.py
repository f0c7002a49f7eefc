"""Is the text of a page good enough to be indexed? Figures from the characters alone, the same for every format.

A file can hold letters that are not the ones it shows: fonts without a way back to Unicode, wrong encodings, shifted codes. Such text looks
like text to a program. Here it shows by code points that stand for nothing, by scripts that no writer mixes, by ideographs that hardly anybody uses,
and by words without vowels.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from xuesi.core.domain import Page, PageHow, PageReport

MOST_UNREADABLE = 0.2  # of a page's visible characters; above it the text is not used
_NEUTRAL, _BAD, _LATIN, _CJK, _FIRST_OTHER = 0, 1, 2, 3, 4
# Where each further script that a library may hold begins and ends; one number each, so that a mixture can be counted.
_OTHER_SCRIPTS = (
    (0x0370, 0x03FF), (0x0400, 0x052F), (0x0530, 0x058F), (0x0590, 0x05FF), (0x0600, 0x06FF), (0x0750, 0x077F), (0x0700, 0x074F),
    (0x0780, 0x07BF), (0x07C0, 0x07FF), (0x0800, 0x08FF), (0x0900, 0x097F), (0x0980, 0x09FF), (0x0A00, 0x0A7F), (0x0A80, 0x0AFF),
    (0x0B00, 0x0B7F), (0x0B80, 0x0BFF), (0x0C00, 0x0C7F), (0x0C80, 0x0CFF), (0x0D00, 0x0D7F), (0x0D80, 0x0DFF), (0x0E00, 0x0E7F),
    (0x0E80, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1200, 0x139F), (0x13A0, 0x167F), (0x1680, 0x1DFF),
    (0x0180, 0x02FF),
)  # fmt: skip
_SPACES = np.array([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0xA0, 0x2002, 0x2003, 0x3000], dtype=np.uint32)
_FEW = 20  # letters or words; with fewer nothing can be said of their mixture
_SALAD = 0.1  # of the letters outside the two commonest scripts, of which a text of one writer has next to none
_COMMON = 0.6  # of the ideographs; running text has 0.9 and more, a random choice 0.36
_VOWELLESS = 0.4  # of the words of four letters and more
_WORD = re.compile(r"[^\W\d_]{4,}")
_VOWEL = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ]", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:the|of|and|to|in|is|for|that|with|this|are|on|be|as|by)\b", re.IGNORECASE)


def prepare() -> None:
    """Make the tables that judging needs; a process that was forked after that has them, and need not spend a tenth of a second on them."""
    _table()
    _common()


def unreadable(text: str) -> float:
    """The share of the visible characters that mean nothing, in [0, 1]; 0 of an empty text."""
    points = _visible(text)
    if not len(points):
        return 0.0
    groups = _groups(points)
    bad = float((groups == _BAD).mean())
    letters = groups[groups >= _LATIN]
    if len(letters) < _FEW:
        return bad
    counts = np.sort(np.bincount(letters))[::-1]
    strange = 1 - counts[:2].sum() / len(letters)
    if strange > _SALAD or _are_rare(points[groups == _CJK]) or _is_vowelless(text, letters):
        return 1.0
    return bad


def language(text: str) -> str:
    """The language that most of the text is in: zh, ja, ko or en; empty where that cannot be told."""
    points = _visible(text)
    letters = _groups(points)
    cjk = int((letters == _CJK).sum())
    if 3 * cjk > (letters >= _LATIN).sum():
        kana = int(((points >= 0x3040) & (points < 0x3100)).sum())
        hangul = int(((points >= 0xAC00) & (points < 0xD7B0)).sum())
        return "ko" if 2 * hangul > cjk else "ja" if 10 * kana > cjk else "zh"
    words = len(text.split())
    return "en" if words and len(_ENGLISH.findall(text)) > 0.08 * words else ""


def text_report(number: int, text: str, *, images: float = 0.0) -> PageReport:
    """The report of a page whose text is all there is to it."""
    chars, share = len(_visible(text)), unreadable(text)
    if not chars:
        return PageReport(number, PageHow.BLANK, 0, 0.0, images, "", "")
    note = "" if share <= MOST_UNREADABLE else f"{share:.0%} of the characters mean nothing."
    return PageReport(number, PageHow.TEXT, chars, share, images, language(text), note)


def text_reports(text: str, pages: Sequence[Page]) -> tuple[PageReport, ...]:
    """The report of every page of a format without images of pages."""
    return tuple(text_report(page.number, page.span.of(text)) for page in pages)


def _visible(text: str) -> NDArray[np.uint32]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return points[~np.isin(points, _SPACES)].astype(np.uint32)


def _groups(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """What each code point is: nothing to judge by, bad, or the number of its script."""
    table = _table()
    groups = table[np.minimum(points, 0xFFFF)]
    groups[(points >= 0x20000) & (points < 0x40000)] = _CJK
    groups[(points >= 0x10000) & (points < 0x20000)] = _NEUTRAL  # emoji, mathematical letters
    groups[points >= 0x40000] = _BAD
    return groups


@cache
def _table() -> NDArray[np.uint8]:
    """The group of each code point of the basic plane."""
    table = np.zeros(0x10000, dtype=np.uint8)
    kinds = [unicodedata.category(chr(point)) for point in range(0x10000)]
    letters = np.array([kind[0] in "LM" for kind in kinds])
    for number, (first, last) in enumerate(_OTHER_SCRIPTS, start=_FIRST_OTHER):
        table[first : last + 1] = number
    for first, last in ((0x41, 0x17F), (0x1E00, 0x1EFF), (0xFB00, 0xFB06), (0xFF21, 0xFF5A)):
        table[first : last + 1] = _LATIN
    for first, last in (
        (0x2E80, 0x2FDF),
        (0x3005, 0x3007),
        (0x3040, 0x9FFF),
        (0xAC00, 0xD7AF),
        (0x1100, 0x11FF),
        (0xF900, 0xFAFF),
    ):
        table[first : last + 1] = _CJK  # fmt: skip
    table[~letters] = _NEUTRAL
    table[[kind in {"Co", "Cn", "Cs", "Cc"} for kind in kinds]] = _BAD
    table[0xFFFD] = _BAD
    return table


def _are_rare(points: NDArray[np.uint32]) -> bool:
    """Whether most of the ideographs are ones that neither Chinese (either script) nor Japanese uses often."""
    han = points[(points >= 0x4E00) & (points < 0xA000)]
    if len(han) < _FEW:
        return False
    return float(_common()[han - 0x4E00].mean()) < _COMMON


@cache
def _common() -> NDArray[np.bool_]:
    """The ideographs of the first levels of GB 2312, Big5 and JIS X 0208, which were chosen by use."""
    levels = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF))
    found = np.zeros(0xA000 - 0x4E00, dtype=np.bool_)
    for point in range(0x4E00, 0xA000):
        codes = ((chr(point).encode(name, "ignore"), first, last) for name, first, last in levels)
        found[point - 0x4E00] = any(len(code) == 2 and first <= code[0] <= last for code, first, last in codes)
    return found


def _is_vowelless(text: str, letters: NDArray[np.uint8]) -> bool:
    """Whether a text in Latin letters is made of words that nobody can say."""
    if 2 * (letters == _LATIN).sum() < len(letters):
        return False
    words = [word for word in _WORD.findall(text) if "\u0041" <= word[0] <= "\u024f" and not word.isupper()]
    return len(words) >= _FEW and sum(not _VOWEL.search(word) for word in words) > _VOWELLESS * len(words)
