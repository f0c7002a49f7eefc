"""What do a DOCX file's styles and list definitions say of a paragraph? Its heading level and the number that Word shows before it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from ingest.readers.labels import BULLET
from ingest.readers.ooxml import W, numeral

_HEADING_NAME = re.compile(r"(?:heading|标题|標題)\s*([1-9])$", re.IGNORECASE)
_LONGEST_CHAIN = 20  # of styles that inherit; Word itself takes no more than eleven
_TITLE_NAMES = ("title", "标题", "標題", "文档标题")


@dataclass(frozen=True, slots=True)
class Numbering:
    """The list that a paragraph stands in, and its depth there from 0."""

    list_id: str
    depth: int


class Styles:
    """The styles of a document, with what they inherit."""

    def __init__(self, root: Any) -> None:
        found = root.iter(f"{W}style") if root is not None else ()
        self._styles = {str(style.get(f"{W}styleId")): style for style in found}
        self._default = next((key for key, style in self._styles.items() if _is_default(style)), "")
        self._chains: dict[str, list[Any]] = {}

    def heading_level(self, paragraph: Any) -> int:
        """1-9 for a heading, else 0."""
        own = paragraph.find(f"{W}pPr/{W}outlineLvl")
        for element in [own, *(style.find(f"{W}pPr/{W}outlineLvl") for style in self._chain(paragraph))]:
            if element is not None and element.get(f"{W}val", "9").isdigit():
                level = int(element.get(f"{W}val"))
                return level + 1 if level < 9 else 0  # 9 is body text
        for style in self._chain(paragraph):
            name = _value(style.find(f"{W}name"))
            match = _HEADING_NAME.match(name)
            if match:
                return int(match.group(1))
            if name.lower() in _TITLE_NAMES:
                return 1
        return 0

    def is_contents(self, paragraph: Any) -> bool:
        """Whether it is an entry of a table of contents."""
        return any(_value(style.find(f"{W}name")).lower().startswith("toc ") for style in self._chain(paragraph))

    def numbering(self, paragraph: Any) -> Numbering | None:
        """The list that the paragraph or its style puts it in."""
        depth: str | None = None
        for properties in [
            paragraph.find(f"{W}pPr/{W}numPr"),
            *(s.find(f"{W}pPr/{W}numPr") for s in self._chain(paragraph)),
        ]:
            if properties is None:
                continue
            depth = depth or _value(properties.find(f"{W}ilvl")) or None
            list_id = _value(properties.find(f"{W}numId"))
            if list_id:
                return Numbering(list_id, int(depth or 0)) if list_id != "0" else None  # 0 takes it out of the list
        return None

    def _chain(self, paragraph: Any) -> list[Any]:
        own = _value(paragraph.find(f"{W}pPr/{W}pStyle")) or self._default
        if own not in self._chains:
            chain: dict[str, Any] = {}
            key = own
            while key in self._styles and key not in chain and len(chain) < _LONGEST_CHAIN:
                chain[key] = self._styles[key]
                key = _value(self._styles[key].find(f"{W}basedOn"))
            self._chains[own] = list(chain.values())
        return self._chains[own]


class Lists:
    """The numbers of the document's lists as they are counted up from its start."""

    def __init__(self, root: Any) -> None:
        self._levels: dict[str, dict[int, Any]] = {}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        self._counted_as: dict[str, str] = {}
        if root is None:
            return
        abstract = {a.get(f"{W}abstractNumId"): a for a in root.iter(f"{W}abstractNum")}
        for number in root.iter(f"{W}num"):
            list_id = str(number.get(f"{W}numId"))
            base = abstract.get(_value(number.find(f"{W}abstractNumId")))
            own = [level for over in number.iter(f"{W}lvlOverride") for level in over.iter(f"{W}lvl")]
            levels = [*(base.iter(f"{W}lvl") if base is not None else ()), *own]
            self._levels[list_id] = {int(level.get(f"{W}ilvl")): level for level in levels}
            restarts = number.find(f"{W}lvlOverride/{W}startOverride") is not None
            self._counted_as[list_id] = list_id if restarts or base is None else f"a{base.get(f'{W}abstractNumId')}"

    def next_label(self, place: Numbering) -> str:
        """The number of the next paragraph in the list, with a space where one is shown, or a bullet."""
        levels = self._levels.get(place.list_id, {})
        level = levels.get(place.depth)
        if level is None:
            return ""
        counts = self._counts[self._counted_as[place.list_id]]
        counts[place.depth] = counts.get(place.depth, _start(level) - 1) + 1
        for deeper in [depth for depth in counts if depth > place.depth]:
            del counts[deeper]
        form = _value(level.find(f"{W}numFmt"))
        if form in ("bullet", "none"):
            return BULLET if form == "bullet" else ""

        def shown(match: re.Match[str]) -> str:
            depth = int(match.group(1)) - 1
            at = levels.get(depth)
            form = _value(at.find(f"{W}numFmt")) if at is not None else "decimal"
            return numeral(counts.get(depth, _start(at) if at is not None else 1), form)

        label = re.sub(r"%([1-9])", shown, _value(level.find(f"{W}lvlText"))).strip()
        tight = _value(level.find(f"{W}suff")) == "nothing" or label.endswith(("、", "）"))
        return label if tight or not label else f"{label} "


def _start(level: Any) -> int:
    value = _value(level.find(f"{W}start"))
    return int(value) if value.isdigit() else 1


def _value(element: Any) -> str:
    return str(element.get(f"{W}val", "")) if element is not None else ""


def _is_default(style: Any) -> bool:
    return style.get(f"{W}default") in ("1", "true") and style.get(f"{W}type") == "paragraph"
