"""How do two texts differ, sentence by sentence? Same, changed (with the words that changed), moved elsewhere, only in the one, only in the other.

Sentences that stand once in each text are matched first, in the longest run that keeps their order (patience diff, Bram Cohen), then the stretches
between them in the same way; what has no such sentence is compared pairwise if it is small. Every step is linear but for a sort, or has a bound:
texts of thousands of pages that have nothing in common cost no more than reading them a few times.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from enum import StrEnum
from itertools import pairwise

from xuesi.core.domain import Span
from xuesi.core.text import sentences

# A word of a language with spaces, or any other character: what a reader sees change.
_UNIT = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+|\S")
_PAIRWISE = 40_000  # largest product of two stretches that are compared pairwise
_PASSES = 30  # how often a sentence may be looked at, on average
_ALIKE = 0.4  # least share of neighbouring units (Dice) from which two sentences are one that was changed
_COMMON = 12  # a pair of units in more sentences of a stretch tells nothing
_LONGEST_UNITS = 2000  # of a sentence in which changed words are looked for
_LEAST_MOVED = 6  # units; shorter sentences, such as numbers, are everywhere
_LEAST_KEPT = 2  # units that stay between two changes; fewer are marked with them, or one sees confetti

Pairs = list[tuple[int, int]]


class How(StrEnum):
    """What became of a sentence."""

    SAME = "same"
    CHANGED = "changed"
    MOVED = "moved"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Difference:
    """One sentence, or what became of it, in reading order of both texts.

    `old` and `new` are its spans in either text. One that was moved comes twice: where it stood and, `here`, where it stands now. The marks are the
    changed words of a changed sentence, as spans of the texts.
    """

    how: How
    old: Span | None
    new: Span | None
    old_marks: tuple[Span, ...] = ()
    new_marks: tuple[Span, ...] = ()
    here: bool = True


def compare(old: str, new: str) -> list[Difference]:
    """The sentences of both texts in reading order, removed ones before the added ones in whose place they stood."""
    before, after = sentences(old), sentences(new)
    a, b = [_key(span.of(old)) for span in before], [_key(span.of(new)) for span in after]
    same = _aligned(a, b)
    moved = _moved(a, b, same)
    back = {j: i for i, j in moved.items()}
    found: list[Difference] = []
    i = j = 0
    for end_i, end_j in [*same, (len(a), len(b))]:
        left = [n for n in range(i, end_i) if n not in moved]
        right = [n for n in range(j, end_j) if n not in back]
        changed = dict(_alike([a[n] for n in left], [b[n] for n in right]))
        pairs = {left[x]: right[y] for x, y in changed.items()}
        for old_n, new_n in _woven(range(i, end_i), range(j, end_j), pairs):
            if old_n is not None and new_n is not None:
                found.append(_changed(old, new, before[old_n], after[new_n]))
            elif old_n is not None:
                to = moved.get(old_n)
                found.append(Difference(How.REMOVED, before[old_n], None) if to is None else Difference(How.MOVED, before[old_n], after[to], here=False))  # fmt: skip
            elif new_n is not None:
                came = back.get(new_n)
                found.append(Difference(How.ADDED, None, after[new_n]) if came is None else Difference(How.MOVED, before[came], after[new_n]))  # fmt: skip
        if end_i < len(a):
            found.append(Difference(How.SAME, before[end_i], after[end_j]))
        i, j = end_i + 1, end_j + 1
    return found


def _key(sentence: str) -> str:
    return " ".join(sentence.split())


def _aligned(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Pairs of equal sentences in the order of both."""
    found: Pairs = []
    budget = _PASSES * (len(a) + len(b))
    waiting = [(0, len(a), 0, len(b))]
    while waiting:
        i, end_i, j, end_j = waiting.pop()
        while i < end_i and j < end_j and a[i] == b[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        while i < end_i and j < end_j and a[end_i - 1] == b[end_j - 1]:
            end_i, end_j = end_i - 1, end_j - 1
            found.append((end_i, end_j))
        budget -= end_i - i + end_j - j
        if i == end_i or j == end_j or budget < 0:
            continue
        anchors = _anchors(a, b, (i, end_i, j, end_j))
        if anchors:
            found += anchors
            for at_i, at_j in [*anchors, (end_i, end_j)]:
                waiting.append((i, at_i, j, at_j))
                i, j = at_i + 1, at_j + 1
        elif (end_i - i) * (end_j - j) <= _PAIRWISE:
            matcher = SequenceMatcher(None, a[i:end_i], b[j:end_j], autojunk=False)
            found += [(i + x + n, j + y + n) for x, y, size in matcher.get_matching_blocks() for n in range(size)]
    return sorted(found)


def _anchors(a: Sequence[str], b: Sequence[str], part: tuple[int, int, int, int]) -> Pairs:
    """The longest row of sentences that stand once in both stretches, in the order of both."""
    i, end_i, j, end_j = part
    times_a, times_b = Counter(a[i:end_i]), Counter(b[j:end_j])
    place_b = {b[n]: n for n in range(j, end_j) if times_b[b[n]] == 1}
    once = [(n, place_b[a[n]]) for n in range(i, end_i) if times_a[a[n]] == 1 and a[n] in place_b]
    return _longest_row(once)


def _longest_row(pairs: Pairs) -> Pairs:
    """The most of the pairs, given in the order of their first, whose second rise too (patience sorting)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for n, (_, second) in enumerate(pairs):
        pile = bisect_left(ends, second)
        ends[pile : pile + 1] = [second]
        before.append(last[pile - 1] if pile else -1)
        last[pile : pile + 1] = [n]
    row: Pairs = []
    n = last[-1] if last else -1
    while n >= 0:
        row.append(pairs[n])
        n = before[n]
    return row[::-1]


def _moved(a: Sequence[str], b: Sequence[str], same: Pairs) -> dict[int, int]:
    """Equal sentences that are not in the same place, the first with the first."""
    kept_a, kept_b = {i for i, _ in same}, {j for _, j in same}
    places: dict[str, deque[int]] = defaultdict(deque)
    for j, sentence in enumerate(b):
        if j not in kept_b:
            places[sentence].append(j)
    moved: dict[int, int] = {}
    for i, sentence in enumerate(a):
        if i not in kept_a and places.get(sentence) and len(_units(sentence)) >= _LEAST_MOVED:
            moved[i] = places[sentence].popleft()
    return moved


def _alike(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Which sentences of a stretch are the same but for some words: in the order of both, each with the one that is most like it."""
    grams = [_grams(sentence) for sentence in b]
    holding: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, its in enumerate(grams):
        for gram in its:
            holding[gram].append(n)
    found: list[tuple[float, int, int]] = []
    telling = {gram: its for gram, its in holding.items() if len(its) <= _COMMON}
    for n, sentence in enumerate(a):
        own = _grams(sentence)
        shared = Counter(m for gram in own for m in telling.get(gram, ()))
        for m, _ in shared.most_common(3):
            score = 2 * len(own & grams[m]) / (len(own) + len(grams[m]))
            if score >= _ALIKE:
                found.append((score, n, m))
    best: dict[int, int] = {}
    taken: set[int] = set()
    for _, n, m in sorted(found, key=lambda it: (-it[0], abs(it[1] - it[2]))):
        if n not in best and m not in taken:
            best[n] = m
            taken.add(m)
    return _longest_row(sorted(best.items()))


def _units(text: str) -> list[str]:
    return _UNIT.findall(text)


def _grams(sentence: str) -> set[tuple[str, str]]:
    units = ["", *_units(sentence)[:_LONGEST_UNITS], ""]
    return set(pairwise(units))


def _woven(left: Iterable[int], right: Iterable[int], pairs: dict[int, int]) -> Iterator[tuple[int | None, int | None]]:
    """Both in reading order, pairs together, the left before the right in whose place it stood."""
    rest = deque(right)
    for i in left:
        if i not in pairs:
            yield i, None
            continue
        while rest[0] != pairs[i]:
            yield None, rest.popleft()
        yield i, rest.popleft()
    for j in rest:
        yield None, j


def _changed(old: str, new: str, before: Span, after: Span) -> Difference:
    a, b = list(_UNIT.finditer(old, before.start, before.end)), list(_UNIT.finditer(new, after.start, after.end))
    if max(len(a), len(b)) > _LONGEST_UNITS:
        return Difference(How.CHANGED, before, after, (before,), (after,))
    matcher = SequenceMatcher(None, [unit.group() for unit in a], [unit.group() for unit in b], autojunk=False)
    kept = [it for it in matcher.get_matching_blocks() if it.size >= _LEAST_KEPT or _at_an_end(it, a, b)]
    old_marks, new_marks = [], []
    x = y = 0
    for block in [*kept, None]:
        end_x, end_y = (block.a, block.b) if block else (len(a), len(b))
        old_marks += _marked(a, x, end_x)
        new_marks += _marked(b, y, end_y)
        if block:
            x, y = block.a + block.size, block.b + block.size
    return Difference(How.CHANGED, before, after, tuple(old_marks), tuple(new_marks))


def _at_an_end(block: Match, a: Sequence[object], b: Sequence[object]) -> bool:
    first = block.a == 0 and block.b == 0
    return bool(block.size) and (first or (block.a + block.size == len(a) and block.b + block.size == len(b)))


def _marked(units: "Sequence[re.Match[str]]", start: int, end: int) -> list[Span]:
    return [Span(units[start].start(), units[end - 1].end())] if start < end else []
