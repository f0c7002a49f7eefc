"""What are the headings and list items of a document that does not mark them? Between reading and passages.

A short numbered line without a sentence end under which something stands is a heading; other numbered lines are list items. An article
(第一条) carries its text on the same line: it stays a paragraph, and passages begin there. The lines of a table of contents are items.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.length import length
from ingest.marks import (
    BACK,
    BULLET,
    DASH,
    DIVISION,
    FRONT,
    TITLE,
    ends_sentence,
    is_article,
    is_lead_in,
    mark_of,
)
from xuesi.core.domain import Block, BlockKind

_NO_HEADING_END = re.compile(r"[。！？；…，、,;：:.!][”’」』）》\]\"')]*$")
_LEADER = re.compile(r"(?:(?<!…)…++|(?<![.·．])[.·．]{3,}+|(?<!\s)\s{3,}+)\s*+\d+$")
_LONGEST_HEADING = 60.0


def recognise(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks, with headings and list items found among the paragraphs, and headings that are none made paragraphs.

    Spans, table rows and notes stay as they are.
    """
    lines = [block.span.of(text) for block in blocks]
    found = [_demoted(block, line) for block, line in zip(blocks, lines, strict=True)]
    found = _without_contents(found, lines)
    candidates = [_candidate(block, line) for block, line in zip(found, lines, strict=True)]
    marked = any(block.kind is BlockKind.HEADING for block in found)
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


def _without_contents(blocks: Sequence[Block], lines: Sequence[str]) -> list[Block]:
    """The blocks, with marked headings under which nothing stands made items where the same heading comes again: a table of contents."""
    names = ["".join(_LEADER.sub("", line).split()) for line in lines]
    last = {
        name: i for i, (name, block) in enumerate(zip(names, blocks, strict=True)) if block.kind is BlockKind.HEADING
    }
    found = list(blocks)
    below: tuple[int, int] | None = (
        None  # the highest place of the headings between this line and the text that follows
    )
    for i in range(len(blocks) - 1, -1, -1):
        block, mark = blocks[i], mark_of(lines[i])
        if block.kind is not BlockKind.HEADING:
            below = None
            continue
        place = (block.level, mark.rank if mark is not None else 0)
        if below is not None and place >= below and last[names[i]] > i:
            found[i] = replace(block, kind=BlockKind.LIST_ITEM, level=1)
        below = place if below is None else min(below, place)
    return found


def _candidate(block: Block, line: str) -> int | None:
    """The rank of a line that may be a heading; marked headings are not asked."""
    if block.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM) or "\n" in line or is_article(line):
        return None
    mark = mark_of(line)
    if mark is None or _NO_HEADING_END.search(line[mark.end :] or "x") or _LEADER.search(line):
        return None
    if block.kind is BlockKind.LIST_ITEM and mark.rank > DIVISION:  # the format says that it is an item
        return None
    rest = line[mark.end :]
    longest = _LONGEST_HEADING if mark.rank <= 5 else 34.0
    named = rest.strip() or mark.rank <= DIVISION or mark.rank == FRONT
    return mark.rank if named and length(line) <= longest and "。" not in rest else None


def _add_title(
    candidates: list[int | None], blocks: Sequence[Block], lines: Sequence[str], *, may_be_long: bool
) -> None:
    """A first line that is no sentence is the title; a long one with commas or a colon in it only where no heading is marked."""
    if len(blocks) > 1 and blocks[0].kind is BlockKind.PARAGRAPH and _is_plain_title(lines[0], may_be_long=may_be_long):
        candidates[0] = TITLE


def _add_plain_headings(candidates: list[int | None], blocks: Sequence[Block], lines: Sequence[str]) -> None:
    """Headings without a number, where the format marks none: short lines between whole paragraphs."""
    for i in range(1, len(blocks) - 1):
        if candidates[i] is None and blocks[i].kind is BlockKind.PARAGRAPH and _is_plain_title(lines[i]):
            is_between = ends_sentence(lines[i - 1]) and ends_sentence(lines[i + 1]) and length(lines[i + 1]) >= 40
            if is_between and length(lines[i]) <= 24:
                candidates[i] = FRONT - 1


def _is_plain_title(line: str, *, may_be_long: bool = False) -> bool:
    is_mark = BULLET.match(line) or DASH.match(line) or is_article(line) or line[0] in "（(" or mark_of(line)
    if is_mark or "\n" in line or _NO_HEADING_END.search(line):
        return False
    if may_be_long:
        return length(line) <= 80 and not re.search(r"[。；！？;|\t]", line)
    return length(line) <= 45 and not re.search(r"[。，；：！？,;:|\t]", line)


def _keep_those_with_body(candidates: list[int | None], blocks: Sequence[Block]) -> None:
    """A numbered line under which nothing stands is an item, of a list or of a table of contents.

    Nothing stands under a line directly before one of the same or a higher rank, or at the end.
    """
    following: int | None = TITLE  # rank of the heading that comes next; None for text
    items: int | None = None  # rank of the item that comes next
    for i in range(len(blocks) - 1, -1, -1):
        rank = candidates[i]
        is_empty = rank is not None and following is not None and following <= rank and (items is None or items <= rank)
        if rank is not None and rank != TITLE and is_empty:
            candidates[i] = None
            items = rank if rank > DIVISION else None  # chapters in a table of contents are no text under each other
            continue
        items = None
        following = _standing(rank) if rank is not None else None
        if rank is None and blocks[i].kind is BlockKind.HEADING:
            following = TITLE


def _standing(rank: int) -> int:
    """The rank that a heading has against those before it: an opening part stands under none, and any heading may end it."""
    return BACK if rank == FRONT else rank


def _follow_siblings(candidates: list[int | None], lines: Sequence[str]) -> None:
    """Where the first of a row is an item, so are the others: the last item of a list has text under it too."""
    items: set[int] = set()
    lead_in = False
    for i, line in enumerate(lines):
        mark = mark_of(line)
        if mark is not None and mark.rank > DIVISION and mark.rank not in (FRONT, FRONT - 1):
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
    if BULLET.match(line) or (DASH.match(line) and ends_sentence(line)):
        return 20
    mark = mark_of(line)
    return mark.rank if mark is not None and mark.rank not in (BACK, FRONT) else None
