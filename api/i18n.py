"""In which language does a reader see the pages? Strings, dates, numbers and sizes in Chinese and English.

The strings stand in api/locales/<code>.toml, one table a page; a key is the path to a string, joined by dots. Both files hold the same keys. The list of formats stands once, in front of the tables.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request

LANGUAGE_COOKIE = "xuesi_language"
_FOLDER = Path(__file__).with_name("locales")


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages. `code` is its BCP 47 tag."""

    code: str
    strings: Mapping[str, str]

    def __call__(self, key: str, **facts: object) -> str:
        """The string with its {facts} filled in. Raises KeyError if there is none: every key must stand in every language."""
        return self.strings[key].format(**facts) if facts else self.strings[key]

    def get(self, key: str, default: str) -> str:
        """The string, or the default where the language has none."""
        return self.strings.get(key, default)

    def under(self, tables: Iterable[str]) -> dict[str, str]:
        """The strings of these tables, for the modules in the browser."""
        prefixes = tuple(f"{table}." for table in tables)
        return {key: text for key, text in self.strings.items() if key.startswith(prefixes)}

    def date(self, day: date | datetime | None) -> str:
        """The day in the reader's form; a dash where there is none."""
        if day is None:
            return "—"
        if self.code == "zh-CN":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def clock(self, seconds: float) -> str:
        """A length of time: minutes and seconds, with hours where there are any."""
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"

    def number(self, value: int) -> str:
        """The number with its thousands set apart."""
        return f"{value:,}"

    def size(self, count: int) -> str:
        """A size in bytes in the unit that reads best, 1 kB being 1,000 bytes."""
        if count < 1000:
            return f"{count} B"
        if count < 1_000_000:
            return f"{count / 1000:.0f} kB"
        return f"{count / 1_000_000:.1f} MB"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _load(code: str) -> Language:
    tables = tomllib.loads((_FOLDER / f"{code}.toml").read_text(encoding="utf-8"))
    formats = tables.pop("formats")
    return Language(code, {key: text.replace("{formats}", formats) for key, text in _flat(tables, "")})


def _flat(table: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield prefix + key, value
        else:
            yield from _flat(value, f"{prefix}{key}.")


LANGUAGES: Mapping[str, Language] = {code: _load(code) for code in ("zh-CN", "en")}
DEFAULT = LANGUAGES["zh-CN"]


def language_of(request: Request) -> Language:
    """The language asked for in the address (?lang=), else the one chosen earlier (cookie), else the browser's, else Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen and chosen in LANGUAGES:
            return LANGUAGES[chosen]
    return accepted(request.headers.get("accept-language", ""))


def accepted(header: str) -> Language:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4)."""
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        wishes.append((-quality, position, tag.strip().lower()))
    for quality, _, tag in sorted(wishes):
        for code, language in LANGUAGES.items():
            if quality < 0 and tag.split("-")[0] == code.split("-")[0]:
                return language
    return DEFAULT
