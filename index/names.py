"""Which documents does a question name: 《…》, words that are also a title, or a document number?

A title counts as named where it stands in the question whole, without what follows it in brackets, or up to its colon. Whoever writes it in 《》 may
also leave out what it begins with, such as the issuer.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from index.numerals import numbers
from index.tokens import simplified
from xuesi.core.domain import Document, NamedDocument, Span
from xuesi.core.text import normalise

_QUOTED = re.compile(r"《([^《》\n]{2,200})》|“([^“”\n]{2,200})”|「([^「」\n]{2,200})」|\"([^\"\n]{2,200})\"")
_IN_BRACKETS = re.compile(r"\s*[（(〔\[【][^（(〔\[【]{1,30}[）)〕\]】]\s*$")
_COLON = re.compile(r"[：:]|——| [-–—] ")
_LETTERS = re.compile(r"[^\W_]+")
_SPACED = re.compile(r"[a-z]")
# As many letters as tell a title from a phrase: of Chinese, and where words are spaced.
_LEAST, _LEAST_SPACED = 6, 16
_MOST = 8  # quoted names and numbers that are looked for: each is a condition of one statement


@dataclass(frozen=True, slots=True)
class Names:
    """What of a question may name a document: its letters and digits alone, with the place of each; what it quotes; the document numbers in it.

    `quoted` are spans of the question, `numbers` as `index.numerals` writes them.
    """

    question: str
    letters: str
    places: tuple[int, ...]
    quoted: tuple[Span, ...]
    numbers: tuple[str, ...]

    @property
    def probes(self) -> set[str]:
        """The longest run of letters of each quoted name, in either script: what a title that it names must hold."""
        runs = (_LETTERS.findall(span.of(self.question)) for span in self.quoted)
        longest = [max(found, key=len) for found in runs if found]
        return {written for run in longest for written in (run, simplified(run))}


def names_in(question: str) -> Names:
    """What of the question may name a document."""
    letters, places = _bare(question)
    quoted = tuple(Span(*match.span(match.lastindex or 0)) for match in islice(_QUOTED.finditer(question), _MOST))
    folded = unicodedata.normalize("NFKC", question).lower()
    listed = tuple(dict.fromkeys(number for number in numbers(folded) if number.startswith("〔")))
    return Names(question, letters, tuple(places), quoted, listed[:_MOST])


def named(names: Names, documents: Iterable[Document]) -> tuple[NamedDocument, ...]:
    """Those of the documents that are named, in their order, first the ones that are named exactly; of names within names the longest."""
    found = [(document, *its) for document in documents if (its := _named(names, document))]
    kept = [
        NamedDocument(text, document.id, document.title, exactly)
        for document, span, text, exactly in found
        if not any(other.start <= span.start and span.end <= other.end and other != span for _, other, _, _ in found)
    ]
    return tuple(sorted(kept, key=lambda it: not it.exactly))


def _named(names: Names, document: Document) -> tuple[Span, str, bool] | None:
    """Where and in which words the question names the document, and whether exactly."""
    written = unicodedata.normalize("NFKC", document.document_number).lower()
    for number in numbers(written):
        if number in names.numbers:
            return Span(0, 0), number, True
    forms = list(dict.fromkeys(_forms(document.title)))
    for span in names.quoted:
        wanted = _bare(span.of(names.question))[0]
        as_title = names.question[span.start - 1] == "《" and _tells(wanted)
        if any(wanted == form or (as_title and form.endswith(wanted)) for form in forms):
            return span, names.question[span.start - 1 : span.end + 1], True
    for form in forms:
        at = names.letters.find(form) if _tells(form) else -1
        if at >= 0:
            span = Span(names.places[at], names.places[at + len(form) - 1] + 1)
            return span, span.of(names.question), False
    return None


def _forms(title: str) -> Iterator[str]:
    """The title's letters and digits, also without what follows in brackets, and up to its colon."""
    yield _bare(title)[0]
    short = _IN_BRACKETS.sub("", title)
    yield _bare(short)[0]
    yield _bare(_COLON.split(short, maxsplit=1)[0])[0]


def _tells(form: str) -> bool:
    return len(form) >= (_LEAST_SPACED if _SPACED.search(form) else _LEAST)


def _bare(text: str) -> tuple[str, list[int]]:
    """Letters and digits of a text, folded and simplified, and where in it each stands."""
    folded, origin = normalise(text)
    plain = simplified(folded)
    if len(plain) != len(folded):  # a word that is longer or shorter in the other script: then as it is written
        plain = folded
    kept = [index for index, char in enumerate(plain) if char.isalnum()]
    return "".join(plain[index] for index in kept), [origin[index] for index in kept]
