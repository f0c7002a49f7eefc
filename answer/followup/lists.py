"""Which items has a list that was told, and which of them does a follow-up ask for?"""

import re

from xuesi.core.dates import figure

_ITEM_CHARS = 40
_SHORT = 24  # characters of an item between 、
_HAN = "一二三四五六七八九十"
_MARKS = tuple(
    re.compile(mark)
    for mark in (
        rf"(?:^|(?<=[\n。；;：:]))\s*[（(](?P<n>[{_HAN}]{{1,3}})[）)]\s*",
        rf"(?:^|(?<=[\n。；;：:]))\s*(?P<n>[{_HAN}]{{1,3}})[、.．]\s*",
        rf"第(?P<n>[{_HAN}]{{1,3}})[，、：:,]\s*",
        rf"(?<![第\d之])(?P<n>[{_HAN}]{{1,3}})是",
        rf"(?<![第\d之])(?P<n>[{_HAN}]{{1,3}})看",
        r"(?:^|(?<=[\n。；;：:\s]))[（(]?(?P<n>\d{1,2})[）)、.．](?!\d)\s*",
        r"(?P<n>[①-⑳])\s*",
    )
)
_CLAUSE_END = re.compile(r"[；;。\n]|(?<=[a-z])\.(?:\s|$)")
_SHORT_END = re.compile(r"[，,：:；;。\n]")
_LAST = re.compile(r"最后|末|last|final", re.IGNORECASE)


def items(said: str) -> tuple[str, ...]:
    """The items of the list in an answer, each cut to some words; empty where there is none.

    They are what is numbered in it, or else what stands between ； or 、 after its first colon or in its first sentence.
    """
    for marks in _MARKS:
        found = list(marks.finditer(said))
        start = next((i for i, match in enumerate(found) if _number(match["n"]) == 1), None)
        if start is None:
            continue
        run = [match for place, match in enumerate(found[start:], 1) if _number(match["n"]) == place]
        if len(run) > 1:
            ends = [*(match.start() for match in run[1:]), len(said)]
            return tuple(_cut(said[match.end() : end]) for match, end in zip(run, ends, strict=True))
    first = re.split(r"[。\n]", said.strip(), maxsplit=1)[0]
    series = re.split(r"[：:]", first, maxsplit=1)[-1]
    parts = re.split(r"[；;]", series)
    if len(parts) < 2:
        parts = re.split(r"、", max(series.split("，"), key=lambda clause: clause.count("、")))
        if len(parts) < 3 or any(len(part) > _SHORT for part in parts):
            return ()
        *rest, last = parts  # 甲、乙和丙
        parts = [*rest, *re.split(r"以及|(?<=.{2})[和及与](?=.{2})", last, maxsplit=1)] if len(parts) == 2 else parts
    return tuple(_cut(part) for part in parts if part.strip())


def _cut(words: str) -> str:
    """The beginning of an item that says what it is about."""
    whole = _CLAUSE_END.split(words.strip(), maxsplit=1)[0].strip()
    if len(whole) > _ITEM_CHARS:
        whole = _SHORT_END.split(whole, maxsplit=1)[0]
    return whole[:_ITEM_CHARS].strip('，,；;。 “”"')


def _number(written: str) -> int:
    return ord(written) - ord("①") + 1 if "①" <= written <= "⑳" else figure(written)


def item(told: tuple[str, ...], number: int | None) -> str:
    """The item of this number, counted from 1, None being the last; empty where it is not known."""
    if number is None:
        return told[-1] if told else ""
    return told[number - 1] if 0 < number <= len(told) else ""
