"""Which periods does a question name: 2023年, 二〇二三年五月, 2021年至2023年, 2023年以来, 去年, in May 2023, since 2023, last year?

Years are those from 1900 to 2099. A run of four figures alone is a year where white space, punctuation or the end surrounds it in Chinese, and
after a word such as "in" or "since" in English; elsewhere it may count anything.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from xuesi.core.dates import HAN_FIGURE, HAN_YEAR, MONTHS, figure
from xuesi.core.domain import Period, Span

_MOST = 8
_YEARS = 1900, 2099
_AS_ASCII = str.maketrans("０１２３４５６７８９～－／．", "0123456789~-/.")
_MONTH = "|".join(["sept", *MONTHS, *(name[:3] for name in MONTHS)])
_YEAR = rf"(?:(?:19|20)\d\d|{HAN_YEAR})\s?年"
_RELATIVE = r"(?<!如)今年(?![轻輕代龄齡])|(?<!过)(?<!過)去年(?!代)|(?<![以之目从從先提向])前年(?![度])"
_RELATIVE_EN = r"\b(?:this|last) (?:year|month)\b"
_TO = r"\s?(?:至|到|—{1,2}|–|~|-)\s?"

_CHINESE = re.compile(
    rf"(?P<until>截[至止](?:到)?|直到)?"
    rf"(?:(?<!\d)(?P<y0>(?:19|20)\d\d|{HAN_YEAR})\s?年?(?:(?P<m0>\d{{1,2}}|{HAN_FIGURE})\s?月)?{_TO})?"
    rf"(?:(?<!\d)(?P<y>(?:19|20)\d\d|{HAN_YEAR})\s?年(?!代)|(?P<relative>{_RELATIVE}|上个?月(?!份|球)|本月))(?:度(?![过過]))?"
    rf"(?:(?P<m>\d{{1,2}}|{HAN_FIGURE})\s?月份?(?:(?P<d>\d{{1,2}}|{HAN_FIGURE})\s?[日号號])?"
    r"|(?P<half>[上下]半年)|第?(?P<quarter>[一二三四1-4])季度)?"
    r"(?P<side>以来|以來|至今|起(?!草|诉|訴|到|点|源|步)|[以之][后後前]|[后後](?![来來续續半期])|前(?![后後半期列往沿]))?"
)
_DAY = re.compile(
    r"(?<![\d.])(?P<y>(?:19|20)\d\d)(?P<between>[-/.])(?P<m>\d\d?)(?:(?P=between)(?P<d>\d\d?))?(?![\d.]*\d|[-/]\d)"
)
_ENGLISH = re.compile(
    r"(?:(?P<lead>\b(?:in|during|throughout|the year|(?:of|for)(?!\s+\d{4}\s+[a-z]))\s+)|(?P<side>\b(?:since|from|after|before|until|till|by)\s+(?:the end of\s+)?))?"
    rf"(?:\b(?:between\s+|from\s+)?(?P<y0>(?:19|20)\d\d)\s?(?:to|and|until|-|–)\s?(?P<y00>(?:19|20)\d\d)\b(?!\s?年)"
    rf"|\b(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+)?(?P<m>{_MONTH})\.?\s+(?:(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?P<y>(?:19|20)\d\d)\b"
    rf"|(?P<relative>{_RELATIVE_EN})"
    r"|(?<![\w〔\[(（.,$€£/-])(?P<bare>(?:19|20)\d\d)(?![\w%〕\])）/-]|[.,]\d))",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?:^|[\s，。；：、？！,;:?!《“\"])$"), re.compile(r"\s*(?:$|[，。；：、？！,;:?!》”\"])")


@dataclass(frozen=True, slots=True)
class Found:
    """A period and where its words stand in the text."""

    span: Span
    period: Period


def periods(text: str, *, today: date) -> list[Found]:
    """The periods that the text names, in its order, at most 8; what is no day (2023年13月) is passed over.

    Args:
        text: A question.
        today: The day from which 去年 and "last year" are counted.
    """
    plain = text.translate(_AS_ASCII)
    found: list[Found] = []
    for span, first, last in sorted((*_chinese(plain, today), *_days(plain), *_english(plain, today)), key=_place):
        if len(found) < _MOST and not any(span.overlaps(other.span) for other in found):
            found.append(Found(span, Period(span.of(text), first, last)))
    return found


_Named = tuple[Span, date | None, date | None]


def _place(named: _Named) -> tuple[int, int]:
    """By the beginning, the longest first."""
    return named[0].start, -len(named[0])


def _chinese(text: str, today: date) -> Iterator[_Named]:
    for match in _CHINESE.finditer(text):
        try:
            first, last = _year_or_part(match, today)
            if match["y0"]:
                first = date(figure(match["y0"]), figure(match["m0"]) if match["m0"] else 1, 1)
        except ValueError:
            continue
        if first <= last:
            yield _of_side(Span(*match.span()), first, last, (match["until"] or "") + (match["side"] or ""))


def _year_or_part(match: re.Match[str], today: date) -> tuple[date, date]:
    if match["relative"] in {"本月", "上月", "上个月"}:
        return _month_from(today, back=match["relative"] != "本月")
    back = {"今": 0, "去": 1, "前": 2}
    year = figure(match["y"]) if match["y"] else today.year - back[match["relative"][0]]
    if match["half"]:
        return (date(year, 1, 1), date(year, 6, 30)) if match["half"][0] == "上" else (date(year, 7, 1), _end(year))
    if match["quarter"]:
        start = figure(match["quarter"]) * 3 - 2
        return date(year, start, 1), _end(year, start + 2)
    return _days_of(year, match["m"], match["d"])


def _days(text: str) -> Iterator[_Named]:
    for match in _DAY.finditer(text):
        try:
            yield Span(*match.span()), *_days_of(int(match["y"]), match["m"], match["d"])
        except ValueError:
            continue


def _english(text: str, today: date) -> Iterator[_Named]:
    for match in _ENGLISH.finditer(text):
        span = Span(match.end("lead") if match["lead"] else match.start(), match.end())
        try:
            if match["y0"]:
                first, last = date(int(match["y0"]), 1, 1), _end(int(match["y00"]))
            elif match["relative"]:
                first, last = _relative(match["relative"].lower(), today)
            elif match["bare"]:
                if not (match["lead"] or match["side"] or _stands_alone(text, span)):
                    continue
                first, last = _days_of(int(match["bare"]), None, None)
            else:
                first, last = _days_of(int(match["y"]), match["m"], match["d"] or match["d2"])
        except ValueError:
            continue
        if first <= last:
            side = "" if match["y0"] else (match["side"] or "").split(" ")[0].strip().lower()
            yield _of_side(span, first, last, side)


def _stands_alone(text: str, span: Span) -> bool:
    before, after = _ALONE
    return bool(before.search(text[max(0, span.start - 1) : span.start])) and bool(after.match(text, span.end))


def _relative(words: str, today: date) -> tuple[date, date]:
    back = words.startswith("last")
    return _month_from(today, back=back) if words.endswith("month") else _days_of(today.year - back, None, None)


def _month_from(today: date, *, back: bool) -> tuple[date, date]:
    day = today.replace(day=1) - timedelta(days=1) if back else today
    return day.replace(day=1), _end(day.year, day.month)


def _days_of(year: int, in_month: str | None, on: str | None) -> tuple[date, date]:
    """The first and the last day of a year, month or day. Raises ValueError if there is none."""
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise ValueError(f"{year} is no year of a document")
    if in_month is None:
        return date(year, 1, 1), _end(year)
    number = _month(in_month)
    if on is not None:
        day = date(year, number, figure(on))
        return day, day
    return date(year, number, 1), _end(year, number)


def _month(written: str) -> int:
    short = [name[:3] for name in MONTHS]
    return short.index(written.lower()[:3]) + 1 if written.isascii() and written.isalpha() else figure(written)


def _end(year: int, of_month: int = 12) -> date:
    return date(year, of_month, monthrange(year, of_month)[1])


def _of_side(span: Span, first: date, last: date, side: str) -> _Named:
    """The period itself, or what lies before it or from it on; 以后 and "after" take it in, as one who asks seldom means to leave it out."""
    if side in {"以前", "之前", "前", "before"}:
        return span, None, first - timedelta(days=1)
    if side.startswith(("截", "直到")) or side in {"until", "till", "by"}:
        return span, None, last
    return span, first, None if side else last
