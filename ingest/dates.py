"""Which days does a line of text name, in figures, Chinese numerals or English, and in which clause?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_DIGITS = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0", "Ｏ": "0", "O": "0"}
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
_HAN_YEAR, _HAN = "[〇零○一二三四五六七八九]{4}", "[〇零一二三四五六七八九十]{1,3}"
_DATE = re.compile(
    rf"(?P<y>(?:19|20)\d\d|{_HAN_YEAR})\s*年\s*(?P<m>\d{{1,2}}|{_HAN})\s*月\s*(?P<d>\d{{1,2}}|{_HAN})\s*[日号]"
    r"|(?<!\d)(?P<y2>(?:19|20)\d\d)\s?[-/.]\s?(?P<m2>\d{1,2})\s?[-/.]\s?(?P<d2>\d{1,2})(?!\d)"
    rf"|\b(?P<m3>{'|'.join(_MONTHS)})\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>(?:19|20)\d\d)\b"
    rf"|\b(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m4>{'|'.join(_MONTHS)}),?\s+(?P<y4>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[，。；;\n]|\s{2,}|　")


@dataclass(frozen=True, slots=True)
class Dated:
    """A day in a line: as it is written, the clause that it begins, and that clause without it."""

    day: date
    quote: str
    clause: str
    after: str


def dates(line: str) -> Iterator[Dated]:
    """The days that the line names, in order; what is no day (2023年13月) is passed over."""
    matches = list(_DATE.finditer(line))
    for number, match in enumerate(matches):
        value = _value(match)
        if value is None:
            continue
        limit = matches[number + 1].start() if number + 1 < len(matches) else len(line)
        end = _CLAUSE_END.search(line, match.end(), limit)
        stop = end.start() if end else limit
        yield Dated(value, match.group(), line[match.start() : stop], line[match.end() : stop])


def day(text: str) -> date | None:
    """The first day that the text names."""
    found = next(dates(text), None)
    return found.day if found else None


def _value(match: re.Match[str]) -> date | None:
    found = {name.rstrip("234"): given for name, given in match.groupdict().items() if given is not None}
    try:
        return date(_number(found["y"]), _month(found["m"]), _number(found["d"]))
    except ValueError:
        return None


def _month(written: str) -> int:
    return _MONTHS.index(written.lower()) + 1 if written.lower() in _MONTHS else _number(written)


def _number(written: str) -> int:
    """2023, 二〇二三, 十一, 二十, 二十一."""
    if written.isdecimal():
        return int(written)
    if "十" in written:
        tens, _, ones = written.partition("十")
        return int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0"))
    return int("".join(_DIGITS[c] for c in written))
