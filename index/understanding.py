"""Which periods and documents does a question name, and how much is a hit preferred for being of them? Without any language model.

What is understood never takes a hit away: those that meet it come forward by a little, those of a document that is named exactly by much.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from index.fuse import Fused
from index.names import named, names_in
from index.tokens import simplified
from xuesi.core.domain import Document, Filters, PassageId, Understood
from xuesi.core.periods import periods
from xuesi.core.ports import Catalogue, LivePassage
from xuesi.core.text import canonical

# What they add to a score: chosen, not fitted, for want of a set of questions to dated documents (docs/adr/0015).
_IN_PERIOD, _MENTIONED, _NAMED = 0.03, 0.03, 0.15


def understood(
    question: str, *, catalogue: Catalogue, filters: Filters, today: date, without: Collection[str]
) -> Understood:
    """What the question names.

    Args:
        question: Of at most some thousand characters.
        catalogue: Where documents are looked for.
        filters: What the question is asked under: only documents that may be shown then are named.
        today: The day from which 去年 and "last year" are counted.
        without: Words of the question that name nothing, as `text` of what was understood has them.
    """
    question = canonical(question)  # a database takes no half of a character
    when = tuple(found.period for found in periods(question, today=today) if found.period.text not in without)
    names = names_in(question)
    text = "\n".join(dict.fromkeys((question, simplified(question))))
    near = catalogue.titled_in(text, names=names.probes, numbers=_digits(names.numbers), filters=filters)
    which = tuple(it for it in named(names, near) if it.text not in without)
    return Understood(periods=when, documents=which)


def prefer(ranked: Iterable[Fused], live: Mapping[PassageId, LivePassage], meant: Understood) -> list[Fused]:
    """Those of the candidates that are live, ranked anew with what each is preferred by; ties by id."""
    named_by = {it.id: _NAMED if it.exactly else _MENTIONED for it in meant.documents}
    raised = []
    for it in ranked:
        if it.id in live:
            document = live[it.id].document
            more = named_by.get(document.id, 0.0) + _IN_PERIOD * _of_period(document, meant)
            raised.append(replace(it, score=it.score + more, preferred=more))
    return sorted(raised, key=lambda f: (-f.score, f.id))


def _of_period(document: Document, meant: Understood) -> bool:
    day = document.published_on
    return day is not None and any(period.holds(day) for period in meant.periods)


def _digits(numbers: Iterable[str]) -> list[str]:
    """What document numbers are looked for by: the number after the year."""
    return [number.split("〕")[1].removesuffix("号") for number in numbers]
