"""What do the Office formats share? Names of their XML, the text of a diagram, numbers in words, and the translation of what goes wrong."""

import contextlib
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from xuesi.core.errors import UnreadableDocument, XuesiError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


@contextlib.contextmanager
def office_errors(name: str) -> Iterator[None]:
    """python-docx and python-pptx meet damage with errors of many kinds: all mean that the file is damaged or no `name` file."""
    try:
        yield
    except (XuesiError, MemoryError):
        raise
    except Exception as error:
        what = "is cut off or no complete archive" if isinstance(error, zipfile.BadZipFile) else "breaks its own format"
        raise UnreadableDocument(
            f"The file {what}: it cannot be opened as {name}.",
            hint=f"Open it in the program that made it, save it as {name} anew, and add that.",
        ) from error


def diagram_lines(data: bytes) -> list[str]:
    """The texts of a SmartArt diagram (its data part), in the order they were made."""
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    lines = []
    for point in root.iter(f"{DGM}pt"):
        paragraphs = ["".join(t.text or "" for t in p.iter(f"{A}t")) for p in point.iter(f"{A}p")]
        if point.get("type", "node") in ("node", "asst") and any(paragraphs):
            lines.append(" ".join(filter(None, paragraphs)))
    return lines


def diagram_ids(element: Any) -> list[str]:
    """The relationship ids of the data parts of the diagrams inside an element."""
    return [str(ids.get(f"{R}dm")) for ids in element.iter(f"{DGM}relIds") if ids.get(f"{R}dm")]


_DIGITS = "零一二三四五六七八九"
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


_MOST_LETTERS, _MOST_ROMAN = (
    780,
    32_767,
)  # beyond them Word shows nothing sensible, and a file could ask for gigabytes of letters


def numeral(number: int, form: str) -> str:
    """A number of a list as Word shows it in a number format (ECMA-376 part 1, 17.18.59); decimal where the form is not known."""
    if form in _CHINESE and 0 < number < 1000:
        return _chinese(number)
    if form in ("lowerLetter", "upperLetter") and 0 < number <= _MOST_LETTERS:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if form == "upperLetter" else letter
    if form in ("lowerRoman", "upperRoman") and 0 < number <= _MOST_ROMAN:
        roman = _roman(number)
        return roman.lower() if form == "lowerRoman" else roman
    if form.startswith("decimalEnclosedCircle") and 0 < number <= 20:
        return chr(ord("①") + number - 1)
    if form == "decimalZero":
        return f"{number:02d}"
    return str(number)


_AUTONUMBERS = (("alphaLc", "lowerLetter"), ("alphaUc", "upperLetter"), ("romanLc", "lowerRoman"), ("romanUc", "upperRoman"), ("circleNum", "decimalEnclosedCircle"), ("ea1", "chineseCounting"))  # fmt: skip


def autonumber(number: int, form: str) -> str:
    """A number of a list as PowerPoint shows it in a scheme (ECMA-376 part 1, 20.1.10.61), with the space that follows it."""
    shown = numeral(number, next((known for start, known in _AUTONUMBERS if form.startswith(start)), "decimal"))
    if form.endswith("ParenBoth"):
        return f"({shown}) "
    if form.startswith("ea1") and form.endswith("Period"):
        return f"{shown}、"
    return f"{shown}{')' if form.endswith('ParenR') else '.' if form.endswith('Period') else ''} "


_CHINESE = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand", "ideographDigital")  # fmt: skip


def _chinese(number: int) -> str:
    hundreds, tens, units = number // 100, number // 10 % 10, number % 10
    words = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        words += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and units:
        words += "零"
    return words + (_DIGITS[units] if units else "")


def _roman(number: int) -> str:
    words = ""
    for value, sign in _ROMAN:
        words += sign * (number // value)
        number %= value
    return words
