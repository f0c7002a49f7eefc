"""Which lines at the foot of a PDF page are notes, and which line holds the mark of each? By small type and marks, no vendor.

A note is set smaller than the text, stands under it, begins with a mark (①, [1], *, or a raised number), and the mark stands in the text of
the same page. What lacks one of these stays where it is: a note that is read as text costs less than text that is read as a note.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.marks import ends_sentence
from ingest.readers.pdf_lines import Line

_SMALLER = 0.93  # of the page's usual type
_MOST_LINES = 40  # of notes on a page
_RAISED = 0.8  # of the line's height, that a raised number is not taller than
_MARK = re.compile(r"[①-⑳]|[\[［〔【]\s*\d{1,3}\s*[\]］〕】]|\d{1,3}(?=[^\d.．、)）:：年月%])|[*＊†‡§]{1,3}")
Where = tuple[int, int]  # page and line on it, from 0


@dataclass(frozen=True, slots=True)
class Note:
    """The lines of a note, in order; those after the first page's stand at the foot of the next."""

    lines: tuple[Line, ...]


def without_notes(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], list[tuple[Line, list[Note]]]]:
    """The lines of each page without its notes, and those of these lines that hold the marks of notes, each with its notes."""
    kept: list[list[Line]] = []
    notes: dict[Where, list[Note]] = {}
    last: tuple[Where, int] | None = None  # the last note of the page before, which may go on
    for page, read in enumerate(pages):
        lines = _feet_last(read)
        open_note = last is not None and _goes_on(notes, last)
        foot = _foot(lines, may_go_on=open_note)
        body, small = list(lines[:foot]), lines[foot:]
        groups = _groups(small)
        found = {first: _anchor(body, small[first].text) for first, _ in groups}
        start = groups[0][0] if groups else len(small)
        if last is not None and open_note and start:
            where, number = last
            notes[where][number] = Note((*notes[where][number].lines, *small[:start]))
        else:
            body.extend(small[:start])
        last = None
        for first, end in groups:
            anchor = found[first]
            if anchor is None:
                body.extend(small[first:end])
                continue
            several = notes.setdefault((page, anchor), [])
            several.append(Note(tuple(small[first:end])))
            last = (page, anchor), len(several) - 1
        kept.append(body)
    return kept, [(kept[page][i], several) for (page, i), several in notes.items()]


def _goes_on(notes: Mapping[Where, Sequence[Note]], last: tuple[Where, int]) -> bool:
    where, number = last
    return not ends_sentence(notes[where][number].lines[-1].text)


def _foot(lines: Sequence[Line], *, may_go_on: bool) -> int:
    """Where the lines in small type begin with which the page ends; as many as there are lines where there are none."""
    if not may_go_on and not any(_MARK.match(line.text) for line in lines[-_MOST_LINES:]):
        return len(lines)
    usual = _usual_size(lines)
    foot = len(lines)
    while foot and not lines[foot - 1].table and not lines[foot - 1].turns and lines[foot - 1].size < _SMALLER * usual:
        foot -= 1
    if not foot:  # a page all in small type, or empty
        return len(lines)
    lies_lowest = all(_is_lowest(line, lines[:foot]) for line in lines[foot:])
    return foot if lies_lowest else len(lines)


def _usual_size(lines: Sequence[Line]) -> float:
    return float(np.median(np.repeat([line.size for line in lines], [len(line.text) for line in lines])))


def _is_lowest(note: Line, others: Sequence[Line]) -> bool:
    """Whether none of the others in the same column stands lower."""
    return all(note.top > it.top for it in others if it.left < note.right and note.left < it.right)


def _feet_last(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines with the notes under all but the last of several columns behind the others, where those under the last one stand."""
    starts = [i for i, line in enumerate(lines) if _MARK.match(line.text)]
    if not starts or starts[0] == len(lines) - 1:
        return lines
    small = [line.size < _SMALLER * _usual_size(lines) and not line.table and not line.turns for line in lines]
    feet: list[int] = []
    for start in starts:
        end = start
        while end < len(lines) and small[end] and (end == start or lines[end].top > lines[end - 1].top):
            end += 1
        is_foot = start < end < len(lines) and lines[end].top < lines[start].top and lines[end].left > lines[start].left
        if is_foot and not (feet and start < feet[-1]):
            rest = [*lines[:start], *lines[end:]]
            if all(_is_lowest(line, rest) for line in lines[start:end]):
                feet.extend(range(start, end))
    last = len(lines)
    while last and small[last - 1] and last - 1 not in feet:
        last -= 1
    body = [line for i, line in enumerate(lines[:last]) if i not in feet]
    return [*body, *(lines[i] for i in feet), *lines[last:]] if feet else lines


def _groups(small: Sequence[Line]) -> list[Where]:
    """Start and end of what may be notes among the lines."""
    starts = [i for i, line in enumerate(small) if _MARK.match(line.text)]
    return list(pairwise([*starts, len(small)])) if starts else []


def _anchor(body: Sequence[Line], note: str) -> int | None:
    """The line of the text that holds the mark with which the note begins."""
    match = _MARK.match(note)
    if match is None:
        return None
    mark = match.group().replace(" ", "")
    for i, line in enumerate(body):
        if any(not mark.isdecimal() or _is_raised(line, at, len(mark)) for at in _places(line.text, mark)):
            return i
    return None


def _places(text: str, mark: str) -> Iterator[int]:
    """Where the mark stands in the text, not as a part of a longer number."""
    for match in re.finditer(re.escape(mark), text):
        at, end = match.span()
        if not mark.isdecimal() or not (text[at - 1 : at].isdecimal() or text[end : end + 1].isdecimal()):
            yield at


def _is_raised(line: Line, at: int, count: int) -> bool:
    heights = line.boxes[:, 3] - line.boxes[:, 1]
    shown = heights[~np.isnan(heights)]
    return bool(len(shown) and at > 0 and np.nanmax(heights[at : at + count]) < _RAISED * np.median(shown))
