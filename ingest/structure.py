"""What are the headings and list items of a document that does not mark them? Between reading and passages.

Chinese official texts number their parts: 第一编, 第一章, 第一节, 一、, （一）, 1., (1). A short numbered line without a sentence end under which
something stands is a heading; other numbered lines are list items. An article (第一条) carries its text on the same line: it stays a
paragraph, and passages begin there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.length import is_wide, length
from xuesi.core.domain import Block, BlockKind

_NUMERAL = r"[〇零一二两三四五六七八九十百千\d０-９]{1,7}"
_TITLE, _BACK, _DIVISION, _FRONT = (
    0,
    1,
    4,
    12,
)  # ranks of a title, of closing parts, of the lowest 第N节, of opening parts
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
_BULLET = re.compile(r"[•·●■◆▪○◦*\-–]\s+|[•●■◆▪◦]")
_DASH = re.compile(r"[—–―]{1,2}")
_ARTICLE = re.compile(rf"第{_NUMERAL}条(?:之[一二三四五六七八九十]+)?(?![、，和或及至款项规所例的])")
_ENDS_SENTENCE = re.compile(r"[。！？；…!?.;][”’」』）》〉】\]\"')]*$")
_NO_HEADING_END = re.compile(r"[。！？；…，、,;：:.!][”’」』）》\]\"')]*$")
_LEADER = re.compile(r"(?:[.…·．]{3,}|\s{3,})\s*\d+$")
_LONGEST_HEADING = 60.0


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
        return Mark(_FRONT, first=True, end=len(line))
    if _BACK_WORD.match(line):
        return Mark(_BACK, first=True, end=len(line))
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
    numbered = mark is not None and (mark.rank not in (_BACK, _FRONT) or mark.end == len(line))
    return numbered or is_article(line) or _BULLET.match(line) is not None or line.startswith("——")


def heading_text(line: str) -> str:
    """A heading as it is shown in a path: on one line, and without the spaces that stretch a short one (总　　则)."""
    mark = mark_of(line)
    end = mark.end if mark is not None and mark.rank <= _DIVISION and mark.end < len(line) else 0
    words = line[end:].split()
    rest = ("" if len(words) > 1 and all(len(word) == 1 and is_wide(word) for word in words) else " ").join(words)
    return f"{line[:end]} {rest}".strip() if line[end : end + 1].isspace() else line[:end] + rest


def recognise(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks, with headings and list items found among the paragraphs, and headings that are none made paragraphs.

    Spans stay as they are. Applying it twice changes nothing more.
    """
    lines = [block.span.of(text) for block in blocks]
    found = [_demoted(block, line) for block, line in zip(blocks, lines, strict=True)]
    candidates = [_candidate(block, line) for block, line in zip(found, lines, strict=True)]
    marked = any(block.kind is BlockKind.HEADING for block in blocks)
    _add_title(candidates, found, lines, may_be_long=not marked)
    if not marked:
        _add_plain_headings(candidates, found, lines)
    _keep_those_with_body(candidates, found)
    _follow_siblings(candidates, lines)
    return tuple(_itemised(_levelled(found, lines, candidates), lines))


def _demoted(block: Block, line: str) -> Block:
    """A whole paragraph in a heading's style is a paragraph; so is an article with its text."""
    if block.kind is not BlockKind.HEADING:
        return block
    is_text = length(line) > 2 * _LONGEST_HEADING or (length(line) > 30 and line.endswith("。"))
    article = is_article(line) and (length(line) > _LONGEST_HEADING or ends_sentence(line))
    return replace(block, kind=BlockKind.PARAGRAPH, level=0) if is_text or article else block


def _candidate(block: Block, line: str) -> int | None:
    """The rank of a line that may be a heading; marked headings are not asked."""
    if block.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) or "\n" in line or is_article(line):
        return None
    mark = mark_of(line)
    if mark is None or _NO_HEADING_END.search(line[mark.end :] or "x") or _LEADER.search(line):
        return None
    if block.kind is BlockKind.LIST_ITEM and mark.rank > _DIVISION:  # the format says that it is an item
        return None
    rest = line[mark.end :]
    longest = _LONGEST_HEADING if mark.rank <= 5 else 34.0
    named = rest.strip() or mark.rank <= _DIVISION or mark.rank == _FRONT
    return mark.rank if named and length(line) <= longest and "。" not in rest else None


def _add_title(
    candidates: list[int | None], blocks: Sequence[Block], lines: Sequence[str], *, may_be_long: bool
) -> None:
    """A first line that is no sentence is the title; a long one with commas or a colon in it only where no heading is marked."""
    if len(blocks) > 1 and blocks[0].kind is BlockKind.PARAGRAPH and _is_plain_title(lines[0], may_be_long=may_be_long):
        candidates[0] = _TITLE


def _add_plain_headings(candidates: list[int | None], blocks: Sequence[Block], lines: Sequence[str]) -> None:
    """Headings without a number, where the format marks none: short lines between whole paragraphs."""
    for i in range(1, len(blocks) - 1):
        if candidates[i] is None and blocks[i].kind is BlockKind.PARAGRAPH and _is_plain_title(lines[i]):
            is_between = ends_sentence(lines[i - 1]) and ends_sentence(lines[i + 1]) and length(lines[i + 1]) >= 40
            if is_between and length(lines[i]) <= 24:
                candidates[i] = _FRONT - 1


def _is_plain_title(line: str, *, may_be_long: bool = False) -> bool:
    is_mark = _BULLET.match(line) or _DASH.match(line) or is_article(line) or line[0] in "（(" or mark_of(line)
    if is_mark or "\n" in line or _NO_HEADING_END.search(line):
        return False
    if may_be_long:
        return length(line) <= 80 and not re.search(r"[。；！？;|\t]", line)
    return length(line) <= 45 and not re.search(r"[。，；：！？,;:|\t]", line)


def _keep_those_with_body(candidates: list[int | None], blocks: Sequence[Block]) -> None:
    """A numbered line under which nothing stands is an item, of a list or of a table of contents.

    Nothing stands under a line directly before one of the same or a higher rank, or at the end.
    """
    following: int | None = _TITLE  # rank of the heading that comes next; None for text
    items: int | None = None  # rank of the item that comes next
    for i in range(len(blocks) - 1, -1, -1):
        rank = candidates[i]
        is_empty = rank is not None and following is not None and following <= rank and (items is None or items <= rank)
        if rank is not None and rank != _TITLE and is_empty:
            candidates[i] = None
            items = rank if rank > _DIVISION else None  # chapters in a table of contents are no text under each other
            continue
        items = None
        following = _standing(rank) if rank is not None else None
        if rank is None and blocks[i].kind is BlockKind.HEADING:
            following = _TITLE


def _standing(rank: int) -> int:
    """The rank that a heading has against those before it: an opening part stands under none, and any heading may end it."""
    return _BACK if rank == _FRONT else rank


def _follow_siblings(candidates: list[int | None], lines: Sequence[str]) -> None:
    """Where the first of a row is an item, so are the others: the last item of a list has text under it too."""
    items: set[int] = set()
    lead_in = False
    for i, line in enumerate(lines):
        mark = mark_of(line)
        if mark is not None and mark.rank > _DIVISION and mark.rank not in (_FRONT, _FRONT - 1):
            if candidates[i] is None:
                items.add(mark.rank)
            elif (mark.rank in items and not mark.first) or (mark.first and lead_in):
                candidates[i] = None
                items.add(mark.rank)
            else:
                items = {rank for rank in items if rank < mark.rank}
        lead_in = is_lead_in(line)


@dataclass(frozen=True, slots=True)
class _Open:
    """A heading under which the walk stands. `given` is the level in its file, `level` the one that it has among the others."""

    rank: int | None
    given: int
    level: int

    def ends_at(self, rank: int | None, given: int) -> bool:
        """Whether a marked heading ends it: one of a higher level, or of the same unless its number makes it the lower one."""
        is_above = self.rank is not None and rank is not None and self.rank < rank
        return self.given > given or (self.given == given and not is_above)


def _levelled(blocks: Iterable[Block], lines: Sequence[str], candidates: Sequence[int | None]) -> Iterator[Block]:
    """The blocks with every heading, marked or found, at its level among the others."""
    above: list[_Open] = []
    for block, line, rank in zip(blocks, lines, candidates, strict=True):
        if block.kind is BlockKind.HEADING:
            mark = mark_of(line)
            own = _standing(mark.rank) if mark is not None else None
            while above and above[-1].ends_at(own, block.level):
                above.pop()
            level = max(block.level, min(9, above[-1].level + 1 if above else 1))
            above.append(_Open(own, block.level, level))
            yield replace(block, level=level)
        elif rank is not None:
            while above and above[-1].rank is not None and above[-1].rank >= _standing(rank):
                above.pop()
            level = min(9, above[-1].level + 1 if above else 1)
            above.append(_Open(rank, level, level))
            yield replace(block, kind=BlockKind.HEADING, level=level)
        else:
            yield block


def _itemised(blocks: Iterable[Block], lines: Sequence[str]) -> Iterator[Block]:
    """The blocks with numbered and bulleted paragraphs made list items, as deep as there are kinds of numbers open above them."""
    above: list[int] = []
    for block, line in zip(blocks, lines, strict=True):
        rank = _item_rank(line) if block.kind is BlockKind.PARAGRAPH else None
        if rank is not None:
            above = [*(r for r in above if r < rank), rank]
            yield replace(block, kind=BlockKind.LIST_ITEM, level=len(above))
        else:
            above = above if block.kind is BlockKind.LIST_ITEM else []
            yield block


def _item_rank(line: str) -> int | None:
    if is_article(line):
        return None
    if _BULLET.match(line) or (_DASH.match(line) and ends_sentence(line)):
        return 20
    mark = mark_of(line)
    return mark.rank if mark is not None and mark.rank not in (_BACK, _FRONT) else None
