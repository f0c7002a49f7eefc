"""Which numbers, dates and document numbers does a text say, however they are written? 二〇二三年, ２０２３年 and 2023-04-03 all have 2023.

What is found here stands in the lexical index beside the words, in Arabic digits, so that either way of writing finds the other. What may mean two
numbers, or none (七八百, 三百五, 千方百计), gives none: its characters are indexed all the same.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

_DIGITS = {
    character: digit
    for digit, written in enumerate(
        ("〇零○", "一壹", "二贰貳两兩", "三叁參叄", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for character in written
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_D, _U, _L = ("".join(them) for them in (_DIGITS, _UNITS, LARGE))
_NUMERAL = re.compile(rf"(?P<whole>[{_D}{_U}{_L}]+)(?:点(?P<part>[{_D}]+)(?![{_U}{_L}分刻]))?")
_COUNTED = re.compile(r"(?<!\d)(?P<number>\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,9})?)\s?(?P<unit>[万萬]?[亿億]|[万萬])")
_DATE = re.compile(r"(?<![\d.])(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d\d?)(?P=between)(?P<day>\d\d?)(?![\d.])")
_PADDED = re.compile(r"(?<!\d)0([1-9])(?=[月日号號])")
_DOCUMENT = re.compile(
    rf"[〔\[(【](?P<year>(?:19|20)\d\d|[{_D}]{{4}})年?[〕\])】]第?(?P<number>\d{{1,5}}|[{_D}{_U}]+)[号號]"
)
_DAY = set(
    "月日号號"
)  # a single digit before these is a number, and so is one after 第 or 分之; elsewhere (一般, 三农) it often is none
_TEN = set("年月日号號")
_LONGEST = 24  # characters of a numeral; what is longer counts nothing, and would take ever longer to count
_POSITIONAL = 4  # digits without a unit: a year; fewer may be an estimate (三五年)


def numbers(text: str) -> Iterator[str]:
    """The numbers of a line of text that its runs of digits do not show by themselves, in Arabic digits; document numbers as 〔2023〕15号.

    Args:
        text: In compatible forms (NFKC) and lower case, of either script.
    """
    for found in _NUMERAL.finditer(text):
        yield from _of_numeral(found, text)
    for found in _COUNTED.finditer(text):
        value = Decimal(found["number"].replace(",", ""))
        for unit in found["unit"]:
            value *= LARGE[unit]
        yield f"{value.normalize():f}"
    for found in _DATE.finditer(text):
        yield from (str(int(found[name])) for name in ("year", "month", "day"))
    yield from _PADDED.findall(text)
    for found in _DOCUMENT.finditer(text):
        year, number = (_plain(found[name]) for name in ("year", "number"))
        if year and number:
            yield f"〔{year}〕{number}号"


def _of_numeral(found: re.Match[str], text: str) -> Iterator[str]:
    whole, part = found["whole"], found["part"]
    before, after = text[max(0, found.start() - 2) : found.start()], text[found.end() : found.end() + 1]
    alone = len(whole) == 1
    if len(whole) > _LONGEST or (part and len(part) > _LONGEST):
        return
    if part:
        value = _DIGITS.get(whole) if alone else _value(whole)
        if value is not None:
            yield f"{value}.{''.join(str(_DIGITS[digit]) for digit in part)}"
    elif alone:
        ordinal = before.endswith("第") or before == "分之"
        if whole in _DIGITS and (ordinal or after in _DAY):
            yield str(_DIGITS[whole])
        elif whole in _UNITS and _UNITS[whole] == 10 and (ordinal or after in _TEN):
            yield "10"
    elif all(character in _DIGITS for character in whole):
        if len(whole) >= _POSITIONAL:
            yield "".join(str(_DIGITS[digit]) for digit in whole)
    elif (value := _value(whole)) is not None:
        yield str(value)


def value_of(numeral: str) -> str | None:
    """A numeral of Chinese characters in Arabic digits, digit by digit where it has no unit (二〇二三), with decimals after 点; None where it is none."""
    whole, _, part = numeral.partition("点")
    if len(numeral) > _LONGEST or not all(digit in _DIGITS for digit in part):
        return None
    digits = all(character in _DIGITS for character in whole)
    value = "".join(str(_DIGITS[digit]) for digit in whole) if digits else _value(whole)
    if value is None:
        return None
    return f"{value}.{''.join(str(_DIGITS[digit]) for digit in part)}" if part else str(value)


def _plain(written: str) -> str:
    """A year or number in digits; empty if it is none."""
    if written.isdecimal():
        return str(int(written))
    if all(character in _DIGITS for character in written):
        return "".join(str(_DIGITS[digit]) for digit in written)
    value = _value(written)
    return "" if value is None else str(value)


def _value(numeral: str) -> int | None:
    """What a numeral with units says; None where it is none, or may be two."""
    total, section, digit = 0, 0, None
    least, least_large, zero = 10_000, 10**12, False
    for character in numeral:
        if character in _DIGITS:
            if digit is not None:
                return None
            digit = _DIGITS[character] or None
            zero = zero or digit is None
        elif character in _UNITS:
            unit = _UNITS[character]
            if unit >= least or (digit is None and unit != 10):
                return None
            section, digit, least, zero = section + (digit or 1) * unit, None, unit, False
        else:
            large = LARGE[character]
            section += digit or 0
            if large > least_large:  # 万亿
                total = (total + section) * large
            elif section:
                total += section * large
            else:
                return None
            section, digit, least, least_large, zero = 0, None, 10_000, large, False
    if digit is not None:
        if not zero and least != 10 and (section or total):
            return None
        section += digit
    return (total + section) or None
