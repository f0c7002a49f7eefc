"""Which days does a line of text name, in figures, Chinese numerals or English, and in which clause?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from xuesi.core.dates import HAN_FIGURE, HAN_YEAR, MONTHS, figure, month

_DATE = re.compile(
    rf"(?P<y>(?:19|20)\d\d|{HAN_YEAR})\s*年\s*(?P<m>\d{{1,2}}|{HAN_FIGURE})\s*月\s*(?P<d>\d{{1,2}}|{HAN_FIGURE})\s*[日号]"
    r"|(?<!\d)(?P<y2>(?:19|20)\d\d)\s?[-/.]\s?(?P<m2>\d{1,2})\s?[-/.]\s?(?P<d2>\d{1,2})(?!\d)"
    rf"|\b(?P<m3>{'|'.join(MONTHS)})\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>(?:19|20)\d\d)\b"
    rf"|\b(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m4>{'|'.join(MONTHS)}),?\s+(?P<y4>(?:19|20)\d\d)\b",
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
        return date(figure(found["y"]), month(found["m"]), figure(found["d"]))
    except ValueError:
        return None
