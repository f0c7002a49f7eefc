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
_COUNT = re.compile(rf"([{_HAN}]|\d)(?=[个項项条條点點种種类類步件句方])")
_SENTENCE = re.compile(r"。|(?<=[a-z])\.\s")
_CLAUSE_END = re.compile(r"[；;。\n]|(?<=[a-z])\.(?:\s|$)")
_SHORT_END = re.compile(r"[，,：:；;。\n]")
_LAST = re.compile(r"最后|末|last|final", re.IGNORECASE)


def items(said: str, *, of: str = "") -> tuple[str, ...]:
    """The items of the list that an answer tells, each cut to some words; empty where there is none.

    They are what is numbered in one of its lines, or in those after a lead-in; else what stands between ；, 、 or commas in one sentence.
    It is the first line that says `of` what the list is to be, or else the first line of all.
    """
    lines = said.strip().split("\n")
    at = next((index for index, line in enumerate(lines) if of and of in line), 0)
    line, rest = lines[at], lines[at + 1 :]
    led_in = line.rstrip()[-1:] in {"：", ":"} or _numbered(line) or (bool(rest) and _numbered(rest[0]))
    return _marked("\n".join([line, *rest]) if led_in else line) or _series(_SENTENCE.split(line, maxsplit=1)[0])


def _numbered(beginning: str) -> bool:
    return any((match := marks.match(beginning)) and _number(match["n"]) == 1 for marks in _MARKS)


def _marked(told: str) -> tuple[str, ...]:
    """What stands between marks that count from one, two of them or more."""
    for marks in _MARKS:
        found = list(marks.finditer(told))
        start = next((i for i, match in enumerate(found) if _number(match["n"]) == 1), None)
        if start is None:
            continue
        run = [match for place, match in enumerate(found[start:], 1) if _number(match["n"]) == place]
        if len(run) > 1:
            ends = [*(match.start() for match in run[1:]), len(told)]
            return tuple(_cut(told[match.end() : end]) for match, end in zip(run, ends, strict=True))
    return ()


def _series(sentence: str) -> tuple[str, ...]:
    """What stands between ；, between commas where the lead-in says of how many, or between 、."""
    lead, colon, series = sentence.rpartition("：") if "：" in sentence else sentence.rpartition(":")
    ways = [re.split("[；;]", series)]
    said = _COUNT.findall(lead)
    ways += [parts for parts in [re.split("，", series)] if colon and said and len(parts) == figure(said[-1])]
    if ", and " in series:
        ways.append(re.split(r",\s+(?:and\s+)?", series))
    listed = max(series.split("，"), key=lambda clause: clause.count("、")).split("、")
    if len(listed) > 2 and all(len(part) <= _SHORT for part in listed):
        ways.append(listed)
    return next((tuple(_cut(part) for part in parts if part.strip()) for parts in ways if len(parts) > 1), ())


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
