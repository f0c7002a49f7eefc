"""What do the first and the last characters of a line say of it? Numbers, bullets, lead-ins and sentence ends, Chinese and English.

Chinese official texts number their parts in ranks: 第一编, 第一章, 第一节, 一、, （一）, 1., (1); their articles (第一条) carry the text on the same line.
"""

import re
from dataclasses import dataclass

from ingest.length import is_wide

_NUMERAL = r"[〇零一二两三四五六七八九十百千\d０-９]{1,7}"
# Ranks of a title, of closing parts, of the lowest division with a name (第一节), and of opening parts.
TITLE, BACK, DIVISION, FRONT = 0, 1, 4, 12
_RANKED = tuple(
    (rank, re.compile(pattern))
    for rank, pattern in (
        (1, rf"第{_NUMERAL}(?:编|篇|部分)|(?:Part|PART)\s+(?:[IVX]+|\d+)\b"),
        (2, rf"第{_NUMERAL}分编"),
        (3, rf"第{_NUMERAL}[章讲]|(?:Chapter|CHAPTER)\s+(?:[IVX]+|\d+)\b"),
        (4, rf"第{_NUMERAL}节|(?:Section|SECTION)\s+\d+\b"),
        (5, r"[一二三四五六七八九十]{1,3}[、．.]|[IVX]{1,4}\.\s"),
        (6, r"[（(〔][一二三四五六七八九十]{1,3}[)）〕]、?"),
        (8, r"\d{1,2}\.\d{1,2}[\s、]\s*"),
        (9, r"\d{1,2}\.\d{1,2}\.\d{1,2}[\s、]\s*"),
        (7, r"[\d０-９]{1,2}(?:[、．]|\.(?!\d))\s*"),
        (10, r"[（(][\d０-９]{1,2}[)）]|[\d０-９]{1,2}[)）]|[①-⑳]"),
    )
)
_FIRST = re.compile(
    r"(?:^|[^〇零一二三四五六七八九十百千\d０-９IVX])(?:一|1|１|①|I)[^〇零一二三四五六七八九十百千\d０-９IVX]*$"
)
_FRONT_WORD = re.compile(
    r"(?:目\s*[录錄次]|序\s*[言章]|前\s*言|引\s*言|导\s*言|摘\s*要|Contents|Preface|Introduction|Abstract)$",
    re.IGNORECASE,
)
_BACK_WORD = re.compile(
    r"(?:附\s*[则則录錄件]|附件[一二三四五\d]*|结\s*[语論论]|结束语|后\s*记|参考文献|References|Appendix)$",
    re.IGNORECASE,
)
BULLET = re.compile(r"[•·●■◆▪○◦*\-–]\s+|[•●■◆▪◦]")
DASH = re.compile(r"[—–―]{1,2}")
_ARTICLE = re.compile(rf"第{_NUMERAL}条(?:之[一二三四五六七八九十]+)?(?![、，和或及至款项规所例的])")
_ENDS_SENTENCE = re.compile(r"[。！？；…!?.;][”’」』）》〉】\]\"')]*$")


@dataclass(frozen=True, slots=True)
class Mark:
    """The number that a line starts with: its rank (the lower, the higher in the document), and whether it is the first of its row."""

    rank: int
    first: bool
    end: int


def mark_of(line: str) -> Mark | None:
    """The number or opening word that the line starts with."""
    for rank, pattern in _RANKED:
        match = pattern.match(line)
        if match:
            return Mark(rank, _FIRST.search(match.group()) is not None, match.end())
    if _FRONT_WORD.match(line):
        return Mark(FRONT, first=True, end=len(line))
    if _BACK_WORD.match(line):
        return Mark(BACK, first=True, end=len(line))
    return None


def is_article(line: str) -> bool:
    """Whether the line begins an article of a regulation (第一条 …)."""
    return _ARTICLE.match(line) is not None


def ends_sentence(line: str) -> bool:
    """Whether a sentence ends with the line."""
    return _ENDS_SENTENCE.search(line) is not None


def is_lead_in(line: str) -> bool:
    """Whether the line announces what follows it."""
    return line.rstrip("”’」』）》\"')").endswith(("：", ":"))


def opens_paragraph(line: str) -> bool:
    """Whether the line starts with something that no line in the middle of a sentence starts with."""
    mark = mark_of(line)
    numbered = mark is not None and (mark.rank not in (BACK, FRONT) or mark.end == len(line))
    return numbered or is_article(line) or BULLET.match(line) is not None or line.startswith("——")


def heading_text(line: str) -> str:
    """A heading as it is shown in a path: on one line, and without the spaces that stretch a short one (总　　则)."""
    mark = mark_of(line)
    end = mark.end if mark is not None and mark.rank <= DIVISION and mark.end < len(line) else 0
    words = line[end:].split()
    rest = ("" if len(words) > 1 and all(len(word) == 1 and is_wide(word) for word in words) else " ").join(words)
    return f"{line[:end]} {rest}".strip() if line[end : end + 1].isspace() else line[:end] + rest
