"""Which wordings does a query want found whole? What stands in quotes or book-title marks, and what the dictionary has."""

import re
import threading
from collections.abc import Iterable, Iterator, Sequence

from index.tokens import units
from xuesi.core.domain import Phrase, PhraseSource
from xuesi.core.ports import Catalogue

_MOST = 8  # of a query; each costs a look into the index
_MOST_UNITS = 128  # of a phrase; what is longer reaches over the border of a passage, and is found by its words
# Quotation marks that open and close alike, or are mixed up, are common where people type.
_MARKED = re.compile(
    r"[“”＂\"](?P<double>[^“”＂\"\n]+)[“”＂\"]|「(?P<corner>[^「」]+)」|『(?P<white>[^『』]+)』|《(?P<title>[^《》]+)》"
)


class Dictionary:
    """The names and set phrases that an administrator keeps in the catalogue. Safe to share among threads.

    They are read once, and again after a change made here: the data folder has one owner.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._changing = threading.Lock()
        self._entries: _Entries | None = None

    def entries(self) -> list[str]:
        """All of them, as they were written, in order."""
        return self._catalogue.dictionary()

    def replace(self, entries: Iterable[str]) -> None:
        """Keep these instead of those before; the next query goes by them."""
        with self._changing:
            self._catalogue.set_dictionary(list(dict.fromkeys(entries)))
            self._entries = None

    def among(self, text: str) -> Iterator[str]:
        """The entries that a text has, in order; where several begin, the longest, and none within another."""
        with self._changing:
            if self._entries is None:
                self._entries = _Entries(self._catalogue.dictionary())
            entries = self._entries
        return entries.among(text)


class _Entries:
    """Entries by their units, and how many units those have that begin with the same one."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._written = {key: entry for entry in entries if (key := tuple(units(entry)))}
        lengths: dict[str, set[int]] = {}
        for key in self._written:
            lengths.setdefault(key[0], set()).add(len(key))
        self._lengths = {first: sorted(those, reverse=True) for first, those in lengths.items()}

    def among(self, text: str) -> Iterator[str]:
        said = tuple(units(text)) if self._written else ()
        at = 0
        while at < len(said):
            whole = (said[at : at + length] for length in self._lengths.get(said[at], ()))
            entry = next((key for key in whole if key in self._written), ())
            if entry:
                yield self._written[entry]
            at += len(entry) or 1


def phrases_of(query: str, dictionary: Dictionary) -> tuple[Phrase, ...]:
    """The phrases of a query, at most eight: those in quotes or book-title marks first, then what the dictionary has of the rest."""
    found: dict[tuple[str, ...], Phrase] = {}
    rest, end = [], 0
    for marked in _MARKED.finditer(query):
        rest.append(query[end : marked.start()])
        end = marked.end()
        text = next(group for group in marked.groups() if group is not None).strip()
        source = PhraseSource.QUOTED if marked["title"] is None else PhraseSource.TITLE
        if 0 < len(key := tuple(units(text))) <= _MOST_UNITS:
            found.setdefault(key, Phrase(text, source))
    for piece in (*rest, query[end:]):
        for entry in dictionary.among(piece):
            found.setdefault(tuple(units(entry)), Phrase(entry, PhraseSource.DICTIONARY))
    return tuple(found.values())[:_MOST]
