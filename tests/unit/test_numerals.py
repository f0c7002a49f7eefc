"""Are numbers found however they are written, and is nothing made a number that is none?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.numerals import numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("二〇二三年四月三日", ["2023", "4", "3"]),
        ("二零二三年十月十日", ["2023", "10", "10"]),
        ("2023-04-03", ["2023", "4", "3"]),
        ("2023/4/3", ["2023", "4", "3"]),
        ("2023.04.03", ["2023", "4", "3"]),
        ("2023年04月03日", ["4", "3"]),
        ("第十二条", ["12"]),
        ("第二条", ["2"]),
        ("第十条", ["10"]),
        ("一百零三", ["103"]),
        ("一千二百三十五", ["1235"]),
        ("兩千三百萬", ["23000000"]),
        ("贰拾万", ["200000"]),
        ("三亿五千万", ["350000000"]),
        ("一万亿", ["1000000000000"]),
        ("1.2万亿", ["1200000000000"]),
        ("3万元", ["30000"]),
        ("1,200万人", ["12000000"]),
        ("百分之六点八", ["6.8"]),
        ("百分之十五", ["15"]),
        ("百分之五", ["5"]),
        ("国办发〔2023〕15号", ["〔2023〕15号"]),
        ("国办发[2023]015号", ["〔2023〕15号"]),
        ("国办发(2023)第15号", ["〔2023〕15号"]),
        ("国办发〔二〇二三〕十五号", ["2023", "15", "〔2023〕15号"]),
    ],
)
def test_numbers_are_given_in_arabic_digits(text: str, found: list[str]) -> None:
    assert list(numbers(text)) == found


@pytest.mark.parametrize(
    "text", ["七八百人", "三百五", "三万五", "三五年", "千方百计", "十分重要", "一般", "三农", "两点", "零", "万众一心", "1.2.3.4", "2023", "三点十分"]
)  # fmt: skip
def test_what_may_be_two_numbers_or_none_gives_none(text: str) -> None:
    assert list(numbers(text)) == []


def _written(number: int) -> str:
    """A number below 10 to the 8 as Chinese writes it in full."""
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        return _written(high) + "万" + (("零" if low < 1000 else "") + _written(low) if low else "")
    written, skipped = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            written += ("零" if skipped and written else "") + "〇一二三四五六七八九"[digit] + name
        skipped = not digit
    return written


@pytest.mark.parametrize(
    "text",
    ["1" * 300_000, "1,234" * 60_000, "1.1" * 100_000, "一万亿" * 100_000, "亿" * 300_000, "〔2023〕三" * 60_000],
)
def test_endless_numerals_count_nothing_and_hold_nobody_up(text: str) -> None:
    assert all(len(number) < 40 for number in numbers(text))


@given(st.integers(10, 99_999_999))
def test_every_number_written_in_full_is_found(number: int) -> None:
    assert list(numbers(_written(number))) == [str(number)]


@given(st.text("〇零一二两三十百千万亿点第年月日号〔〕()[]0123456789,.-/ ", max_size=40))
def test_whatever_stands_there_gives_tokens(text: str) -> None:
    assert all(number and not number.isspace() for number in numbers(text))
