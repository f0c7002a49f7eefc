"""Which of the sentences are said, in which order, and from which places? The second step of an answer.

Nothing is said twice: the same sentence in two documents is one statement with two places, and one that says nearly the same is left out
unless its numbers differ.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from answer.evidence import Evidence, longest_chars
from xuesi.core.domain import Hit, Span

# Sentences with this share of common tokens say the same.
_SAME = 0.8
# A sentence this far below the best one is no longer said.
_WORTH = 0.22

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*%?|[〇零一二三四五六七八九十百千万亿两]+")
_SIMPLIFIED = str.maketrans("萬億兩", "万亿两")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands: a span in the text of the hit's version."""

    hit: Hit
    span: Span

    @property
    def text(self) -> str:
        """The passage's wording there."""
        start = self.hit.passage.span.start
        return self.hit.passage.text[self.span.start - start : self.span.end - start]


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement before its citations are verified: `text` is the material's wording at the first place."""

    text: str
    places: tuple[Place, ...]


def compose(ranked: Sequence[Evidence], *, most: int) -> list[Draft]:
    """At most `most` statements from candidates given best first.

    The best comes first, with the items that it brings; the rest follow document by document in the order of the text.
    """
    said: list[list[Evidence]] = []
    room = most
    for candidate in ranked:
        if candidate.score < ranked[0].score - _WORTH:
            break
        twins = next((group for group in said if _letters(group[0].text) == _letters(candidate.text)), None)
        if twins is not None:
            if all(candidate.hit.document.id != other.hit.document.id for other in twins):
                twins.append(candidate)
        elif room and not any(_repeats(candidate, group[0]) for group in said):
            said.append([candidate])
            room -= min(room, 1 if _is_sentence(candidate) else 1 + len(candidate.items))
    drafts: list[Draft] = []
    for waiting, group in zip(range(len(said) - 1, -1, -1), _in_reading_order(said), strict=True):
        drafts += _drafts(group, room=most - len(drafts) - waiting)
    return drafts


def _in_reading_order(said: Sequence[list[Evidence]]) -> list[list[Evidence]]:
    documents = list(dict.fromkeys(group[0].hit.passage.version_id for group in said))
    rest = sorted(said[1:], key=lambda g: (documents.index(g[0].hit.passage.version_id), g[0].span))
    return [*said[:1], *rest]


def _drafts(group: Sequence[Evidence], *, room: int) -> list[Draft]:
    """The statements of one choice: its sentence, and for a list as many more as there is room for, the items shared out among them."""
    lead = group[0]
    places = tuple(Place(evidence.hit, evidence.span) for evidence in group)
    if not lead.items:
        return [Draft(lead.text, places)]
    if room < 2 or _is_sentence(lead):
        return [_draft(lead.hit, _with_items(lead))]
    parts = min(room - 1, len(lead.items))
    bounds = [round(i * len(lead.items) / parts) for i in range(parts + 1)]
    runs = [lead.items[a:b] for a, b in pairwise(bounds)]
    return [Draft(lead.text, places), *(_draft(lead.hit, Span(run[0].start, run[-1].end)) for run in runs)]


def _is_sentence(lead: Evidence) -> bool:
    """Whether a lead-in and its items are parts of one sentence, and that is no longer than a statement."""
    text = Place(lead.hit, _with_items(lead)).text
    return "\n" not in text and len(text) <= longest_chars(text)


def _with_items(lead: Evidence) -> Span:
    return Span(lead.span.start, lead.items[-1].end if lead.items else lead.span.end)


def _draft(hit: Hit, span: Span) -> Draft:
    place = Place(hit, span)
    return Draft(place.text, (place,))


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def _repeats(candidate: Evidence, other: Evidence) -> bool:
    """Whether the candidate lies in what was said, or says nearly the same with the same numbers."""
    if candidate.hit.passage.version_id == other.hit.passage.version_id and any(
        a.overlaps(b) for a in (candidate.span, *candidate.items) for b in (other.span, *other.items)
    ):
        return True
    common = len(candidate.tokens & other.tokens)
    fewer = min(len(candidate.tokens), len(other.tokens))
    return common >= _SAME * fewer and _numbers(candidate.text) == _numbers(other.text)


def _numbers(text: str) -> set[str]:
    """The numbers in it, full-width and traditional forms as the usual ones, as in the tokens that they are compared beside."""
    return set(_NUMBER.findall(unicodedata.normalize("NFKC", text).translate(_SIMPLIFIED)))
