"""How do dates write their numbers? Months by name, figures in Arabic or Chinese."""

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
HAN_YEAR, HAN_FIGURE = "[〇零○一二三四五六七八九]{4}", "[〇零一二三四五六七八九十]{1,3}"

_DIGITS = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0", "Ｏ": "0", "O": "0"}


def month(written: str) -> int:
    """A month by its English name or its figure. Raises ValueError if it is neither."""
    return MONTHS.index(written.lower()) + 1 if written.lower() in MONTHS else figure(written)


def figure(written: str) -> int:
    """2023, 二〇二三, 十一, 二十, 二十一. Raises ValueError if it is none."""
    if written.isdecimal():
        return int(written)
    if "十" in written:
        tens, _, ones = written.partition("十")
        return int(_DIGITS.get(tens, "1")) * 10 + int(_DIGITS.get(ones, "0"))
    return int("".join(_DIGITS.get(c, "x") for c in written))
