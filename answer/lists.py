"""Which lines belong to a list, and what brings them? A lead-in brings its items, and so does a heading that nothing but a list follows."""

import re
from collections.abc import Callable, Sequence

from xuesi.core.domain import Span

TextOf = Callable[[Span], str]

_ITEM = re.compile(
    r"(?:[（(]?[一二三四五六七八九十]+[）)、.．]|第[一二三四五六七八九十]+[，、项条]?|[一二三四五六七八九十]是"
    r"|[（(]?\d{1,2}[）)、.．](?!\d)|[①-⑳•·●○◆■\-–—*])\s*"
)  # fmt: skip
_FIRST = re.compile(r"[（(]?(?:一[）)、.．]|1[）)、.．](?!\d))|①|第一[，、项]?|一是")
# Of a list without marks each line begins with what it is about: 全不全：应当有的记录是否缺失.
_LABEL = re.compile(r"[^，,。；;：:|]{1,12}[：:](?!\s*$)")


def is_item(text: str) -> bool:
    """Whether the text begins as an item of a list does."""
    return _ITEM.match(text) is not None


def items_after(index: int, spans: Sequence[Span], text_of: TextOf) -> tuple[Span, ...]:
    """What a sentence brings that leads a list in; nothing where it leads nothing in.

    One that ends in a colon, or stands before a first item, brings the lines of the list; one that begins a series (：…；) the rest of it.
    """
    words, after = text_of(spans[index]), spans[index + 1 :]
    if words[-1] in "：:" or _before_a_list(spans[index], after, text_of):
        return _listed(_lines(after, text_of), text_of)
    if words[-1] not in "；;" or not ("：" in words or ":" in words):
        return ()
    end = next((i for i, span in enumerate(after, 1) if text_of(span)[-1] not in "；;"), len(after))
    return tuple(after[:end])


def opening_list(spans: Sequence[Span], text_of: TextOf) -> tuple[Span, ...]:
    """The lines of the list that a passage opens with, two or more of them; empty where it opens otherwise."""
    lines = _lines(spans, text_of)
    for mark in (_ITEM, _LABEL):
        listed = next((i for i, line in enumerate(lines) if not mark.match(text_of(line))), len(lines))
        if listed > 1:
            return tuple(lines[:listed])
    return ()


def _before_a_list(span: Span, after: Sequence[Span], text_of: TextOf) -> bool:
    return (
        bool(after)
        and "\n" in text_of(Span(span.end, after[0].start))
        and _ITEM.match(text_of(span)) is None
        and _FIRST.match(text_of(after[0])) is not None
    )


def _lines(spans: Sequence[Span], text_of: TextOf) -> list[Span]:
    """Whole lines, each with all its sentences."""
    lines: list[Span] = []
    for span in spans:
        if lines and "\n" not in text_of(Span(lines[-1].end, span.start)):
            lines[-1] = Span(lines[-1].start, span.end)
        else:
            lines.append(span)
    return lines


def _listed(lines: Sequence[Span], text_of: TextOf) -> tuple[Span, ...]:
    """The lines of a list: all of them, or where the first is marked as items are, those up to the first that is not."""
    if not lines or not is_item(text_of(lines[0])):
        return tuple(lines)
    return tuple(lines[: next((i for i, line in enumerate(lines) if not is_item(text_of(line))), len(lines))])
