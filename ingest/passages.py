"""Where does one passage end and the next begin? The unit that is indexed and cited, cut along the document's own structure.

A passage never crosses a heading and never begins or ends inside a sentence that fits. Every section (the text under one heading) is cut as a
whole: of all ways to cut it between its sentences, the one with the least cost is taken. The cost grows as a passage is shorter or
longer than three quarters of the longest allowed, so pieces come out even; and every place to cut has its price: nothing between two
paragraphs, more between sentences, much between a lead-in and its list, inside an article or a list that would fit as a whole, or
inside a sentence. A passage that goes on with the rows of a table has the rows of the table's header as the last elements of its heading path.

Source of the method: the line breaking of Knuth and Plass 1981, doi:10.1002/spe.4380111102, with passages for lines.
"""

import bisect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from ingest.length import FIFTHS, fifths, length
from ingest.marks import ends_sentence, heading_text, is_article, is_lead_in
from xuesi.core.domain import Block, BlockKind, Passage, PassageId, Span, VersionId
from xuesi.core.ids import new_id
from xuesi.core.ports import Reading
from xuesi.core.text import in_context, sentences

CountTokens = Callable[[Sequence[str]], list[int]]

_LOW, _TARGET = 0.47, 0.75  # of the longest allowed: an article of this length stands alone; what is aimed at
_SHORTEST_LIMIT = 20  # Chinese characters; below it a passage is no longer cut to make room for a long title
_AFTER_SENTENCE, _AFTER_SEMICOLON, _AFTER_CLAUSE = 0.15, 0.35, 0.7
_BEFORE_ARTICLE, _BEFORE_ITEM, _BEFORE_ROW = -0.1, 0.1, 0.05
_AFTER_LEAD_IN, _AFTER_HEADER_ROW, _IN_UNFINISHED = 0.8, 0.8, 0.3
_IN_GROUP = 0.5
_MOST_ATOMS = (
    150  # of a passage; of one-letter lines five hundred would fit, and trying them all takes minutes for a megabyte
)
_BEFORE_NOTE = 0.5
_LONGEST_THESIS = 80
_LONGEST_HEADER = 120  # Chinese characters; a longer first row is a row of text, and would outweigh what it stands over
_Header = Sequence[tuple[int, str]]  # of a table: where each row of its header starts, and what it says
_CLAUSE = re.compile(r"[，、；：,;:]+[”’」』）)\"']*|\s+")


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is not cut any more: a sentence, a table row, or a piece of one that is too long. `price` is that of a cut before it."""

    start: int
    end: int
    price: float
    article: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading, the headings above it from the top, and the header of the table whose rows it goes on with."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]
    header: tuple[str, ...] = ()

    @property
    def context(self) -> tuple[str, ...]:
        return self.path + self.header


@dataclass(frozen=True, slots=True)
class _Ruler:
    """The text, and for each position the length of what is before it, in fifths of a Chinese character."""

    text: str
    before: Sequence[int]

    def length(self, start: int, end: int) -> int:
        return self.before[end] - self.before[start]


def cut(
    reading: Reading,
    version_id: VersionId,
    *,
    max_chars: int,
    count_tokens: CountTokens,
    max_tokens: int,
    title: str,
) -> list[Passage]:
    """The passages of a version, in order.

    They do not overlap, hold every visible character of every block that is no heading, and `text[span] == passage.text` without white
    space at either end. A heading with nothing under it becomes a passage too, together with those that follow it directly.

    Args:
        reading: The text with its structure.
        version_id: The version that the passages belong to.
        max_chars: Longest passage in Chinese characters; other scripts count as in `ingest.length`.
        count_tokens: Tokens of each text as the embedder counts them.
        max_tokens: Most tokens of a passage with title and heading path before it. Where these leave too little room, the uppermost
            headings are left out of the path, a table's header last; only a title that alone fills the model makes a passage longer than this.
        title: The document's title.
    """
    ruler = _Ruler(reading.text, list(accumulate(fifths(reading.text).tolist(), initial=0)))
    headers = _header_rows(reading)
    drafts = [
        _Section(section.path, part, _header_of(part, headers))
        for section in _sections(reading)
        for part in _cut_section(section.blocks, ruler, max_chars * FIFTHS)
    ]

    def tokens_of(parts: Sequence[_Section]) -> list[int]:
        return count_tokens([in_context(title, part.context, _span(part).of(reading.text))[0] for part in parts])

    fitted = [
        piece
        for draft, tokens in zip(drafts, tokens_of(drafts), strict=True)
        for piece in _fit(draft, tokens, ruler=ruler, headers=headers, max_tokens=max_tokens, tokens_of=tokens_of)
    ]
    starts = [page.span.start for page in reading.pages]
    return [
        Passage(
            id=PassageId(new_id()),
            version_id=version_id,
            ordinal=ordinal,
            span=_span(part),
            text=_span(part).of(reading.text),
            page_from=bisect.bisect_right(starts, _span(part).start),
            page_to=bisect.bisect_right(starts, _span(part).end - 1),
            heading_path=part.context,
            tokens=tokens,
        )
        for ordinal, (part, tokens) in enumerate(fitted)
    ]


def _header_rows(reading: Reading) -> dict[int, _Header]:
    """Of each table the rows of its header, from the last one up as many as can stand over others."""
    found: dict[int, list[tuple[int, str]]] = {}
    ended: set[int] = set()
    for block in reading.blocks:
        rows = found.setdefault(block.table, []) if block.table else []
        if block.table and block.table not in ended and (not rows or block.header):
            rows.append((block.span.start, " ".join(block.span.of(reading.text).split())))
        elif block.table:
            ended.add(block.table)
    return {table: list(_short(found[table])) for table in ended}


def _short(rows: _Header) -> Iterator[tuple[int, str]]:
    below = accumulate((length(text) for _, text in reversed(rows)), initial=0.0)
    fit = sum(size <= _LONGEST_HEADER for size in below) - 1
    yield from rows[len(rows) - fit :]


def _header_of(blocks: Sequence[Block], headers: Mapping[int, _Header]) -> tuple[str, ...]:
    """The rows of the header of the table that a passage goes on with; none where it holds them itself."""
    return tuple(text for start, text in headers.get(blocks[0].table, ()) if start < blocks[0].span.start)


def _span(section: _Section) -> Span:
    return Span(section.blocks[0].span.start, section.blocks[-1].span.end)


def _sections(reading: Reading) -> Iterator[_Section]:
    """The text under each heading; headings with nothing under them come as sections of their own."""
    path: list[tuple[int, str]] = []
    pending: list[Block] = []
    above: tuple[str, ...] = ()
    blocks = reading.blocks
    for i, block in enumerate(blocks):
        below = blocks[i + 1] if i + 1 < len(blocks) else None
        if block.kind is BlockKind.HEADING:
            is_leaf = below is None or (below.kind is BlockKind.HEADING and below.level <= block.level)
            while path and path[-1][0] >= block.level:
                path.pop()
            parents = tuple(text for _, text in path)
            path.append((block.level, heading_text(block.span.of(reading.text))))
            if pending and not (is_leaf and pending[-1].kind is BlockKind.HEADING and above == parents):
                yield _Section(above, tuple(pending))
                pending = []
            if is_leaf:
                above = parents
                pending.append(block)
            continue
        if pending and pending[-1].kind is BlockKind.HEADING:
            yield _Section(above, tuple(pending))
            pending = []
        above = tuple(text for _, text in path)
        pending.append(block)
    if pending:
        yield _Section(above, tuple(pending))


def _fit(
    draft: _Section,
    tokens: int,
    *,
    ruler: _Ruler,
    headers: Mapping[int, _Header],
    max_tokens: int,
    tokens_of: Callable[[Sequence[_Section]], list[int]],
) -> list[tuple[_Section, int]]:
    """The draft, or the pieces of it that fit the model, each with its tokens."""
    span = _span(draft)
    size = ruler.length(span.start, span.end)
    if tokens <= max_tokens or (size <= _SHORTEST_LIMIT * FIFTHS and not draft.context):
        return [(draft, tokens)]
    if draft.context and size <= 4 * _SHORTEST_LIMIT * FIFTHS:  # the context takes the room
        parts = [_Section(draft.path[1:], draft.blocks, draft.header if draft.path else ())]
    else:
        limit = max(_SHORTEST_LIMIT * FIFTHS, min(size - 1, size * max_tokens * 3 // (tokens * 4)))
        parts = [
            _Section(draft.path, blocks, _header_of(blocks, headers))
            for blocks in _cut_section(draft.blocks, ruler, limit)
        ]
    return [
        piece
        for part, count in zip(parts, tokens_of(parts), strict=True)
        for piece in _fit(part, count, ruler=ruler, headers=headers, max_tokens=max_tokens, tokens_of=tokens_of)
    ]


def _cut_section(blocks: Sequence[Block], ruler: _Ruler, limit: int) -> Iterator[tuple[Block, ...]]:
    """The blocks of each passage, those at the ends clipped to it; `limit` in fifths."""
    atoms = list(_atoms(blocks, ruler, limit))
    first = 0
    for start, end in _cheapest(atoms, ruler, limit):
        while blocks[first].span.end <= start:
            first += 1
        last = first
        while blocks[last].span.end < end:
            last += 1
        yield tuple(
            replace(block, span=Span(max(start, block.span.start), min(end, block.span.end)))
            for block in blocks[first : last + 1]
        )


def _cheapest(atoms: Sequence[_Atom], ruler: _Ruler, limit: int) -> list[tuple[int, int]]:
    """Where each passage starts and ends. Linear in the text: a passage reaches over as many atoms as fit, never more."""
    best = [0.0] + [math.inf] * len(atoms)
    come_from = [0] * (len(atoms) + 1)
    reached = [ruler.before[atom.end] for atom in atoms]
    articles = [atom.article for atom in atoms]
    low, target = _LOW * limit, _TARGET * limit
    for i, first in enumerate(atoms):
        start, so_far = ruler.before[first.start], best[i] + (first.price if i else 0.0)
        reach = 0
        for j in range(i, min(i + _MOST_ATOMS, len(atoms))):
            if articles[j] and reach >= low:
                break
            reach = reached[j] - start
            if reach > limit and j > i:
                break
            miss = reach / target - 1
            cost = so_far + miss * miss
            if cost < best[j + 1]:
                best[j + 1], come_from[j + 1] = cost, i
    ends = [len(atoms)]
    while ends[-1] > 0:
        ends.append(come_from[ends[-1]])
    return [(atoms[i].start, atoms[j - 1].end) for i, j in pairwise(reversed(ends))]


def _atoms(blocks: Sequence[Block], ruler: _Ruler, limit: int) -> Iterator[_Atom]:
    lines = [block.span.of(ruler.text) for block in blocks]
    groups = list(_groups(blocks, lines))
    whole = [(i, j) for i, j in groups if ruler.length(blocks[i].span.start, blocks[j - 1].span.end) <= limit]
    inside = {k for i, j in whole for k in range(i, j)}
    joined = {k for i, j in whole for k in range(i + 1, j)}
    for k, (block, line) in enumerate(zip(blocks, lines, strict=True)):
        inner = _IN_GROUP if k in inside else 0.0
        price = (_price_between(blocks, lines, k) if k else 0.0) + (_IN_GROUP if k in joined else 0.0)
        article = k not in joined and is_article(line)
        for span, own in _pieces(block, ruler, limit):
            yield _Atom(span.start, span.end, price if span.start == block.span.start else own + inner, article=article)
            article = False


def _groups(blocks: Sequence[Block], lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Ranges of blocks that belong together: an article with its paragraphs, a lead-in with its items, a table."""
    article = None
    for k, (block, line) in enumerate(zip(blocks, lines, strict=True)):
        if is_article(line):
            if article is not None:
                yield article, k
            article = k
        end = k + 1
        if is_lead_in(line):
            while end < len(blocks) and blocks[end].kind is BlockKind.LIST_ITEM:
                end += 1
        elif block.table and (k == 0 or blocks[k - 1].table != block.table):
            while end < len(blocks) and blocks[end].table == block.table:
                end += 1
        if end > k + 1:
            yield k, end
    if article is not None:
        yield article, len(blocks)


def _price_between(blocks: Sequence[Block], lines: Sequence[str], k: int) -> float:
    """Of a cut between block k - 1 and block k."""
    block, before = blocks[k], blocks[k - 1]
    if is_lead_in(lines[k - 1]) or _is_thesis(blocks, lines, k - 1):
        return _AFTER_LEAD_IN
    if block.kind is BlockKind.NOTE:  # it says more about what stands before it
        return _BEFORE_NOTE
    if is_article(lines[k]) or _is_thesis(blocks, lines, k):
        return _BEFORE_ARTICLE
    if block.table and block.table == before.table:
        is_header = before.header or k == 1 or blocks[k - 2].table != block.table
        return _AFTER_HEADER_ROW if is_header else _BEFORE_ROW
    if block.kind is BlockKind.LIST_ITEM:
        return _BEFORE_ITEM
    return 0.0 if ends_sentence(lines[k - 1]) or block.kind is not before.kind else _IN_UNFINISHED


def _is_thesis(blocks: Sequence[Block], lines: Sequence[str], k: int) -> bool:
    """Whether block k is a numbered sentence over the paragraphs that explain it."""
    is_followed = k + 1 < len(blocks) and blocks[k + 1].kind is BlockKind.PARAGRAPH
    is_over_text = is_followed and len(lines[k]) < len(lines[k + 1]) and not is_article(lines[k + 1])
    return is_over_text and blocks[k].kind is BlockKind.LIST_ITEM and len(lines[k]) <= _LONGEST_THESIS


def _pieces(block: Block, ruler: _Ruler, limit: int) -> Iterator[tuple[Span, float]]:
    """The atoms of a block, each with the price of a cut before it."""
    start, end = block.span.start, block.span.end
    if block.kind is BlockKind.TABLE_ROW and ruler.length(start, end) <= limit:
        yield block.span, 0.0
        return
    price = 0.0
    for sentence in sentences(block.span.of(ruler.text)):
        span = Span(start + sentence.start, start + sentence.end)
        for number, piece in enumerate(_clauses(span, ruler, limit)):
            yield piece, _AFTER_CLAUSE if number else price
        price = _AFTER_SEMICOLON if ruler.text[span.end - 1] in "；;" else _AFTER_SENTENCE


def _clauses(span: Span, ruler: _Ruler, limit: int) -> Iterator[Span]:
    """The sentence itself if it fits, else its clauses, and of a clause that does not fit pieces that do."""
    if ruler.length(span.start, span.end) <= limit:
        yield span
        return
    start = span.start
    for end in [*(match.end() for match in _CLAUSE.finditer(ruler.text, span.start, span.end)), span.end]:
        while ruler.length(start, end) > limit:
            at = bisect.bisect_right(ruler.before, ruler.before[start] + limit, start, end) - 1
            yield from _trimmed(ruler.text, start, max(at, start + 1))
            start = max(at, start + 1)
        yield from _trimmed(ruler.text, start, end)
        start = end


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Span(start, end)
