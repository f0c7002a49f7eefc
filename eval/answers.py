"""How good are the answers, and does the program know when it has none? `xuesi eval answers`, through the product's own answerer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.build import Built, build
from eval.dataset import Dataset, read_dataset
from eval.machine import conditions
from eval.metrics import auroc, calibration_error, latency, reliability, says
from xuesi.core.domain import Answer, Citation, DocumentId, Statement
from xuesi.core.errors import InvalidInput
from xuesi.core.ports import Answerer
from xuesi.core.settings import Settings
from xuesi.services import Services

_REFUSED = Answer(
    status="not_in_material", mode="extractive", confidence=0.0, statements=(), citations=(), nearest=(), took_ms=0.0
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back for one question."""

    answer: Answer
    verbatim: int
    supporting: int


def evaluate_answers(
    folder: Path,
    settings: Settings,
    *,
    limit: int | None = None,
    withhold: float = 0.0,
    seed: int = 0,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Build a fresh index of the corpus, ask its questions, and measure the statements, their citations and the abstentions.

    Args:
        folder: A question set in BEIR form.
        settings: Of the product under test; its data folder is left alone.
        limit: Ask at most so many questions.
        withhold: Share of the questions whose right documents are taken out of the corpus before it is built.
        seed: Which ones.
        keep: Folder where the library is kept, or taken from if it was built before; without, it is thrown away.

    Returns:
        `dataset`, `documents`, `refused` (documents that the pipeline did not take), `passages`, `queries` (answerable), `unanswerable`, `metrics`, `latency_ms` of asking, `build_s`, `built_by` (commit), and what
        `eval.machine.conditions` says.
        `metrics` are over answerable questions with gold answers: answer_in_first and answer_in_shown, abstaining being a miss;
        over all citations: citation_precision, the share of them that support their statement (the statement's words are the quote's, and
        the quote stands at its span), and citation_relevant, the share that name a right document; abstain_auroc, by confidence, and
        precision and recall of saying that it is not in the material, and calibration_error, null where there is no unanswerable question; where
        there is one, `reliability` has the questions by tenths of their confidence, as `eval.metrics.reliability` says.

    Raises:
        InvalidInput: If the set is not of its form.
    """
    dataset = read_dataset(folder).limited(limit).withheld(withhold, seed=seed)
    with build(dataset.corpus, settings, keep=keep) as built:
        return _measured(dataset, built) | conditions(settings)


def _measured(dataset: Dataset, built: Built) -> dict[str, Any]:
    asked = {query: _ask(text, built.services) for query, text in dataset.queries.items()}
    absent = [_ask(text, built.services) for text in dataset.absent.values()]
    every = [*asked.values(), *absent]
    tenths = reliability([a.answer.confidence for a in asked.values()], [a.answer.confidence for a in absent])
    return {
        "dataset": dataset.name,
        "documents": len(built.entries),
        "refused": len(built.refused),
        "passages": built.passages,
        "queries": len(asked),
        "unanswerable": len(absent),
        "metrics": {
            **_answered(dataset, asked),
            **_cited(dataset, asked, entries=built.entries),
            **_abstained([a.answer for a in asked.values()], [a.answer for a in absent]),
            "calibration_error": round(calibration_error(tenths), 4) if absent else None,
        },
        "latency_ms": latency([a.answer.took_ms for a in every if a.answer is not _REFUSED]),
        "build_s": round(built.took_s, 1),
        "built_by": built.built_by,
        **({"reliability": tenths} if absent else {}),
    }


def answer_to(question: str, answerer: Answerer) -> Answer:
    """The whole answer, which is the last event."""
    *_, last = answerer.ask(question)
    if not isinstance(last, Answer):
        raise TypeError(f"an answer ended with {type(last).__name__}")
    return last


def _ask(question: str, services: Services) -> Asked:
    try:
        answer = answer_to(question, services.answerer)
    except InvalidInput:  # a question without a letter, say: refused by the product, so nothing is answered
        answer = _REFUSED
    cited = {citation.number: citation for citation in answer.citations}
    verbatim = {number: _stands(citation, services) for number, citation in cited.items()}
    supporting = sum(
        verbatim[number] and _supports(cited[number], statement)
        for statement in answer.statements
        for number in statement.citations
    )
    return Asked(answer, verbatim=sum(verbatim.values()), supporting=supporting)


def _stands(citation: Citation, services: Services) -> bool:
    """Read anew from what is kept, not from what the answerer saw."""
    version = services.catalogue.version(citation.document_id, citation.version)
    return citation.span.of(services.files.text(version)) == citation.quote


def _supports(citation: Citation, statement: Statement) -> bool:
    return _letters(statement.text) in _letters(citation.quote)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _answered(dataset: Dataset, asked: Mapping[str, Asked]) -> dict[str, float | None]:
    golden = {query: (asked[query].answer, dataset.answers[query]) for query in asked if dataset.answers.get(query)}
    first = [bool(a.statements) and says(a.statements[0].text, gold) for a, gold in golden.values()]
    shown = [any(says(s.text, gold) for s in a.statements) for a, gold in golden.values()]
    lengths = [len(s.text) for a in asked.values() for s in a.answer.statements]
    counts = [len(a.answer.statements) for a in asked.values() if a.answer.statements]
    return {
        "answer_in_first": _mean(first),
        "answer_in_shown": _mean(shown),
        "statements": _mean(counts),
        "statement_chars": _mean(lengths),
    }


def _cited(
    dataset: Dataset, asked: Mapping[str, Asked], *, entries: Mapping[DocumentId, str]
) -> dict[str, float | None]:
    uses = sum(len(s.citations) for a in asked.values() for s in a.answer.statements)
    relevant = [
        entries[citation.document_id] in dataset.right(query)
        for query, a in asked.items()
        for citation in a.answer.citations
    ]
    return {
        "citation_precision": round(sum(a.supporting for a in asked.values()) / uses, 4) if uses else None,
        "citation_verbatim": round(sum(a.verbatim for a in asked.values()) / len(relevant), 4) if relevant else None,
        "citation_relevant": _mean(relevant),
    }


def _abstained(answerable: Sequence[Answer], absent: Sequence[Answer]) -> dict[str, float | None]:
    score = auroc([a.confidence for a in answerable], [a.confidence for a in absent])
    if score is None:
        return {"abstain_auroc": None, "abstain_precision": None, "abstain_recall": None}
    silent = [a.status == "not_in_material" for a in absent]
    wrongly = sum(a.status == "not_in_material" for a in answerable)
    said = sum(silent) + wrongly
    return {
        "abstain_auroc": round(score, 4),
        "abstain_precision": round(sum(silent) / said, 4) if said else None,
        "abstain_recall": _mean(silent),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
