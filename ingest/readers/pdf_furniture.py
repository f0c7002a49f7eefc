"""Which lines of a PDF are none of its text? Running heads, page numbers and watermarks, told by repetition and position alone.

What stands at the edge of a page and comes again at the same height of other pages, away from the text or in smaller type, is a running head;
digits may differ. Left and right pages, and chapters, may have their own. A page number says that it is one (第 3 页, - 3 -, 3/10), or
counts with the pages. A watermark comes again at the same place in the middle of pages and lies over the text, is turned, or is set large.
When in doubt a line stays: a sentence that is lost is worse than a head that is kept.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ingest.readers.pdf_lines import Line
from xuesi.core.ports import Furniture, LeftOut

_EDGE = 0.13  # of the page's height: where running heads and page numbers stand
_LEAST_PAGES = 3
_SHARE = 0.6  # of the pages between the first and the last that has it, or of the left or right ones among them
_SAME_PLACE = 3.0  # points
_LEAST_TILES = 3
_LARGE = 1.5  # times the body's type
_NUMBER = r"(?:\d{1,4}|[〇零一二三四五六七八九十百]{1,5}|[ivxlc]{1,7})"
_PAGE_NUMBER = re.compile(
    rf"[-–—―·•\s]*(?:第\s*{_NUMBER}\s*页)(?:\s*[/／，,]?\s*[（(]?\s*共\s*{_NUMBER}\s*页\s*[)）]?)?[-–—―·•\s]*"
    rf"|[-–—―·•]+\s*{_NUMBER}\s*[-–—―·•]+|\d{{1,4}}\s*[/／]\s*\d{{1,4}}(?:\s*页)?|共\s*\d+\s*页\s*第\s*\d+\s*页"
    r"|(?:page|p\.)\s*\d+(?:\s*(?:of|/)\s*\d+)?",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"\d{1,4}|[ivxlc]{1,7}", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
Where = tuple[int, int]  # page and line on it, from 0


def without_furniture(
    pages: Sequence[Sequence[Line]], heights: Sequence[float]
) -> tuple[list[list[Line]], tuple[LeftOut, ...]]:
    """The lines of each page that are text, and what was left out of them.

    Args:
        pages: The lines of each page in reading order.
        heights: Of each page, in points.
    """
    body = _body_size(pages)
    found: dict[Where, Furniture] = dict.fromkeys(_page_numbers(pages, heights), Furniture.PAGE_NUMBER)
    for place in _running_heads(pages, heights, body=body, gone=found):
        found[place] = Furniture.RUNNING_HEAD
    for place in (*_watermarks(pages, body=body), *_tiles(pages)):
        found.setdefault(place, Furniture.WATERMARK)
    kept = [[line for i, line in enumerate(lines) if (page, i) not in found] for page, lines in enumerate(pages)]
    return kept, tuple(_named(pages, found))


def _named(pages: Sequence[Sequence[Line]], found: Mapping[Where, Furniture]) -> Iterator[LeftOut]:
    said: dict[tuple[Furniture, str], list[Where]] = defaultdict(list)
    for (page, i), what in sorted(found.items()):
        key = "" if what is Furniture.PAGE_NUMBER else _key(pages[page][i])
        said[what, key].append((page, i))
    for (what, _), places in said.items():
        page, i = places[0]
        yield LeftOut(what, pages[page][i].text, tuple(sorted({page + 1 for page, _ in places})))


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    sizes: dict[float, int] = defaultdict(int)
    for lines in pages:
        for line in lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return max(sizes, key=sizes.__getitem__) if sizes else 0.0


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", "".join(line.text.split()))


def _at_edge(line: Line, height: float) -> bool:
    return not line.table and (line.bottom < _EDGE * height or line.top > (1 - _EDGE) * height)


def _page_numbers(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> Iterator[Where]:
    """Lines at the edge that call themselves page numbers, and bare numbers there that count with the pages."""
    bare: dict[int, list[Where]] = defaultdict(list)
    for page, (lines, height) in enumerate(zip(pages, heights, strict=True)):
        for i, line in enumerate(lines):
            if not _at_edge(line, height) or not _is_outermost(lines, i):
                continue
            text = line.text.strip()
            if _PAGE_NUMBER.fullmatch(text):
                yield page, i
            elif _BARE_NUMBER.fullmatch(text):
                bare[_value(text) - page].append((page, i))
    for places in bare.values():
        if len({page for page, _ in places}) >= min(_LEAST_PAGES, max(2, len(pages))):
            yield from places


def _is_outermost(lines: Sequence[Line], i: int) -> bool:
    """Whether nothing but what is level with it stands between the line and the end of the page that is nearer."""
    line = lines[i]
    above = all(other.bottom > line.top for other in lines if other is not line)
    below = all(other.top < line.bottom for other in lines if other is not line)
    return above or below


def _value(text: str) -> int:
    if text.isdigit():
        return int(text)
    digits = [_ROMAN[letter] for letter in text.lower()]
    return sum(-a if a < b else a for a, b in pairwise([*digits, 0]))


def _running_heads(
    pages: Sequence[Sequence[Line]], heights: Sequence[float], *, body: float, gone: Mapping[Where, Furniture]
) -> Iterator[Where]:
    """Peels the pages from outside, as long as what is outermost comes again at its height."""
    often = _often(
        ((page, i), (_key(line), side))
        for page, (lines, height) in enumerate(zip(pages, heights, strict=True))
        for i, line in enumerate(lines)
        if _at_edge(line, height) and (page, i) not in gone and any(c.isalpha() for c in line.text)
        for side in [round((line.top if line.bottom < _EDGE * height else line.top - height) / _SAME_PLACE)]
    )
    for page, lines in enumerate(pages):
        height = heights[page]
        rows = sorted((i for i in range(len(lines)) if (page, i) not in gone), key=lambda i: lines[i].top)
        for order in (rows, rows[::-1]):
            peeled: list[int] = []
            for i in order:
                if (page, i) not in often or not _at_edge(lines[i], height):
                    break
                peeled.append(i)
            rest = [lines[i] for i in order if i not in peeled]
            while peeled and not _stands_apart(lines[peeled[-1]], rest, body):
                rest.append(lines[peeled.pop()])
            yield from ((page, i) for i in peeled)


def _stands_apart(line: Line, rest: Sequence[Line], body: float) -> bool:
    """Whether the line is set smaller than the text, or further from it than its lines from each other."""
    if line.size < 0.95 * body or not rest:
        return True
    gap = min(max(other.top - line.bottom, line.top - other.bottom) for other in rest)
    tops = sorted(other.top for other in rest)
    usual = float(np.median([b - a for a, b in pairwise(tops) if b - a > 1] or [2 * line.size]))
    return gap > 1.3 * max(usual - line.size, 0.3 * line.size)


def _often(places: Iterable[tuple[Where, tuple[str, int]]]) -> set[Where]:
    """The places whose words come again at nearly the same height on most pages of a stretch, or on most left or right ones of it."""
    by_key: dict[tuple[str, int], list[Where]] = defaultdict(list)
    for place, key in places:
        by_key[key].append(place)
    often: set[Where] = set()
    for (words, side), own in by_key.items():
        near = {place for shift in (-1, 0, 1) for place in by_key.get((words, side + shift), ())}
        for parity in (None, 0, 1):
            on = sorted({page for page, _ in near if parity is None or page % 2 == parity})
            if len(on) >= _LEAST_PAGES:
                stretch = (on[-1] - on[0]) // (1 if parity is None else 2) + 1
                if len(on) >= _SHARE * stretch:
                    often.update(place for place in own if parity is None or place[0] % 2 == parity)
    return often


def _watermarks(pages: Sequence[Sequence[Line]], *, body: float) -> Iterator[Where]:
    places: dict[tuple[str, int, int], list[Where]] = defaultdict(list)
    for page, lines in enumerate(pages):
        for i, line in enumerate(lines):
            if not line.table:
                spot = round(line.left / _SAME_PLACE), round(line.top / _SAME_PLACE)
                places["".join(line.text.split()), *spot].append((page, i))
    least = max(_LEAST_PAGES, _SHARE * len(pages))
    same = [where for where in places.values() if len({page for page, _ in where}) >= least]
    fixed = {place for where in same for place in where}
    for where in same:
        lines = pages[where[0][0]]
        line = lines[where[0][1]]
        if line.size > _LARGE * body or _is_turned(line) or any(_lies_over(pages, place, fixed) for place in where):
            yield from where


def _tiles(pages: Sequence[Sequence[Line]]) -> Iterator[Where]:
    """Slanting words that come several times on one page."""
    for page, lines in enumerate(pages):
        places: dict[str, list[int]] = defaultdict(list)
        for i, line in enumerate(lines):
            if not line.table:
                places["".join(line.text.split())].append(i)
        for same in places.values():
            if len(same) >= _LEAST_TILES and all(_slants(lines[i]) for i in same):
                yield from ((page, i) for i in same)


def _slants(line: Line) -> bool:
    middles = (line.boxes[:, :2] + line.boxes[:, 2:]) / 2
    middles = middles[~np.isnan(middles[:, 0])]
    return len(middles) > 1 and bool((middles.max(axis=0) - middles.min(axis=0) > line.size / 2).all())


def _lies_over(pages: Sequence[Sequence[Line]], place: Where, fixed: Collection[Where]) -> bool:
    """Whether the line covers one that is not on page after page like itself."""
    page, i = place
    line = pages[page][i]
    return any(
        (page, k) not in fixed
        and min(line.right, other.right) - max(line.left, other.left) > line.size / 2
        and min(line.bottom, other.bottom) - max(line.top, other.top) > 0.4 * min(line.size, other.size)
        for k, other in enumerate(pages[page])
    )


def _is_turned(line: Line) -> bool:
    middles = (line.boxes[:, 1] + line.boxes[:, 3]) / 2
    middles = middles[~np.isnan(middles)]
    return len(middles) > 1 and float(middles.max() - middles.min()) > line.size / 2
