"""Which sentences does a chat model write, and which passages does each cite? Read while the pieces arrive; the same pieces give the same sentences."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from xuesi.core.domain import Span
from xuesi.core.text import has_words, sentences

_LONGEST_CHARS = 600  # of a sentence; a model that writes more without an end has lost its way
_NUMBERS = r"\d{1,3}(?:\s*[,，、;；\-–—~]\s*\d{1,3})*"
_MARK = re.compile(rf"\s?[\[【［]\s*({_NUMBERS})\s*[\]】］]")
_RANGE = re.compile(r"(\d+)\s*[\-–—~]\s*(\d+)")
# Marks behind the end of their sentence: they are read as if they stood before it.
_BEHIND = re.compile(
    rf"([。．.！!？?…]+[”’」』）》\"')]*)((?:[ \t]?[\[【［]\s*{_NUMBERS}\s*[\]】］])+)(?=(.?))", re.DOTALL
)
_OPENED = re.compile(r"\s*[\[【［][^\]】］\n]{0,20}$")
_BULLET = re.compile(r"^\s*(?:[-*•·]\s+|\d{1,2}[.、)）](?!\d)\s*)")
_THOUGHT = re.compile(r"^\s*<think>.*?(?:</think>|$)", re.DOTALL)
_MARKUP = re.compile(r"\*\*|__|^#+\s*")
_GOES_ON = "；;…"


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence without its citation marks, and the numbers in them in order."""

    text: str
    numbers: tuple[int, ...]


class Endless(Exception):
    """A sentence without an end."""


def written(pieces: Iterable[str]) -> Iterator[Written]:
    """The sentences that the pieces make, each as soon as it is certain that no mark of it is still to come.

    A mark is a number, or several, in square brackets of any width; before or behind the full stop it belongs to the sentence. Raises Endless after what is
    certain has been given.
    """
    text = ""
    for piece in pieces:
        text += piece
        whole, text = _split(text)
        yield from _each(whole)
        if len(text) > _LONGEST_CHARS and not text.lstrip().startswith("<think>"):
            raise Endless
    whole, rest = _split(text)
    yield from _each([*whole, _THOUGHT.sub("", rest)])


def _split(text: str) -> tuple[list[str], str]:
    """The complete sentences at the beginning of a text, and what is left."""
    text = _THOUGHT.sub("", text) if "</think>" in text else text
    if text.lstrip().startswith("<think"):
        return [], text
    moved = _BEHIND.sub(lambda m: f"{m[2]}{m[1]}{' ' if m[3].strip() else ''}", text)
    spans = sentences(moved)
    starts = [0, *(after.start for before, after in pairwise(spans) if _ends(moved, before, after))]
    if len(starts) > 1 and _OPENED.match(moved[starts[-1] :]):  # it may be a mark of the sentence before
        starts.pop()
    return [moved[a:b] for a, b in pairwise(starts)], moved[starts[-1] :]


def _ends(text: str, before: Span, after: Span) -> bool:
    return text[before.end - 1] not in _GOES_ON or "\n" in text[before.end : after.start]


def _each(texts: Iterable[str]) -> Iterator[Written]:
    for text in texts:
        numbers = [number for found in _MARK.finditer(text) for number in _numbers(found[1])]
        bare = _BULLET.sub("", _MARKUP.sub("", _MARK.sub("", text))).strip()
        if has_words(bare):
            yield Written(bare, tuple(dict.fromkeys(numbers)))


def _numbers(inside: str) -> list[int]:
    spread = _RANGE.sub(lambda m: ",".join(map(str, range(int(m[1]), min(int(m[2]), int(m[1]) + 10) + 1))), inside)
    return [int(number) for number in re.findall(r"\d+", spread)]
