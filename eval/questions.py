"""Does the sample corpus answer its questions? The runner for `eval/questions/*.jsonl`, with document and wording expected.

A line is {"id","question","language","document","answer","also"?:[{"document","answer"}],"unanswerable"?}; `document` is a path in corpus/sample.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.answers import answer_to
from eval.metrics import squeezed
from xuesi.core.domain import Answer, DocumentId
from xuesi.core.ports import Answerer, Searcher


@dataclass(frozen=True, slots=True)
class Expected:
    """A wording and the document in which it stands."""

    document: str
    wording: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A question and what answers it: any one of `expected`, or nothing where it is empty."""

    id: str
    question: str
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question. For one that cannot be answered, `right` says that nothing was answered."""

    asking: Asking
    found: bool
    right: bool
    answer: Answer


def read_questions(path: Path) -> list[Asking]:
    """Read a file of questions."""
    with path.open(encoding="utf-8") as file:
        return [_asking(json.loads(line)) for line in file if line.strip()]


def _asking(row: Mapping[str, Any]) -> Asking:
    if row.get("unanswerable"):
        return Asking(row["id"], row["question"], ())
    places = [row, *row.get("also", ())]
    return Asking(row["id"], row["question"], tuple(Expected(p["document"], p["answer"]) for p in places))


def check(
    askings: Sequence[Asking], *, searcher: Searcher, answerer: Answerer, names: Mapping[DocumentId, str]
) -> list[Outcome]:
    """Ask every question.

    Args:
        askings: The questions.
        searcher: Where the expected document must be among the ten best hits.
        answerer: Which must say the expected wording, part of one statement or of all read together, and cite a document that has it.
        names: What the questions call each document.
    """
    outcomes: list[Outcome] = []
    for asking in askings:
        answer = answer_to(asking.question, answerer)
        if not asking.expected:
            outcomes.append(Outcome(asking, found=True, right=answer.status == "not_in_material", answer=answer))
            continue
        hits = {names[hit.document.id] for hit in searcher.search(asking.question).hits}
        found = any(e.document in hits for e in asking.expected)
        outcomes.append(Outcome(asking, found=found, right=_says(answer, asking, names), answer=answer))
    return outcomes


def _says(answer: Answer, asking: Asking, names: Mapping[DocumentId, str]) -> bool:
    cited = {names[citation.document_id] for citation in answer.citations}
    told = squeezed("".join(statement.text for statement in answer.statements)).casefold()
    return any(e.document in cited and squeezed(e.wording).casefold() in told for e in asking.expected)
