"""What is asked, of which corpus, and what is right? Question sets in BEIR form (Thakur et al. 2021, arXiv:2104.08663).

A folder with `corpus.jsonl` {"_id","title","text"}, `queries.jsonl` {"_id","text"}, `qrels.tsv` query-id, corpus-id, score (with or without
a header line), optional `answers.jsonl` {"_id","answers":[…]} and `unanswerable.jsonl` {"_id","text"}. Or a file of questions to the sample
corpus, whose form is told in `eval.questions`: the documents are that corpus' files.
"""

import json
import random
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xuesi.core.errors import InvalidInput

_MANIFEST = Path(__file__).parents[1] / "corpus" / "manifest.toml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of the corpus: a text, or a file of any format."""

    id: str
    title: str
    text: str
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A question set. `queries` are those that have judgements, in the order of their file, as BEIR asks them.

    `qrels` holds for each query the grade of each judged document (0 = not relevant); as in BEIR a relevant document that the corpus lacks
    stays in it and is missed. `absent` are questions that the corpus cannot answer.
    """

    name: str
    corpus: tuple[Entry, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def right(self, query_id: str) -> set[str]:
        """The documents that are relevant to the question."""
        return {document for document, grade in self.qrels.get(query_id, {}).items() if grade > 0}

    def limited(self, most: int | None) -> "Dataset":
        """The same with the first `most` questions only; the corpus stays whole."""
        if most is None:
            return self
        kept = dict(list(self.queries.items())[:most])
        return replace(self, queries=kept, qrels={q: self.qrels[q] for q in kept})

    def withheld(self, share: float, *, seed: int) -> "Dataset":
        """The same without the right documents of about `share` of the questions, which become `absent`.

        Questions are taken in random order with all their right documents until `share` of them have none left; one that shares its
        documents with a taken one is absent with it.
        """
        order = list(self.queries)
        random.Random(seed).shuffle(order)  # noqa: S311 a repeatable choice, no secret
        gone: set[str] = set()
        absent: set[str] = set()
        for query in order:
            if len(absent) >= share * len(order):
                break
            if not self.right(query) <= gone:
                gone |= self.right(query)
                absent = {q for q in order if self.right(q) <= gone}
        return replace(
            self,
            corpus=tuple(entry for entry in self.corpus if entry.id not in gone),
            queries={q: text for q, text in self.queries.items() if q not in absent},
            qrels={q: grades for q, grades in self.qrels.items() if q not in absent},
            absent={**self.absent, **{q: text for q, text in self.queries.items() if q in absent}},
        )


def read_dataset(folder: Path) -> Dataset:
    """Read a question set: a folder, or a file of questions to the sample corpus.

    Raises:
        InvalidInput: If a file is missing, a line is not of its form, or an id comes twice; names the file and the line.
    """
    if folder.suffix == ".jsonl":
        return _of_sample_corpus(folder)
    corpus = _by_id(folder / "corpus.jsonl", "text")
    asked = _by_id(folder / "queries.jsonl", "text")
    qrels = _qrels(folder / "qrels.tsv")
    answers = _by_id(folder / "answers.jsonl", "answers", optional=True)
    absent = _by_id(folder / "unanswerable.jsonl", "text", optional=True)
    queries = {key: row["text"] for key, row in asked.items() if key in qrels}
    if not queries:
        raise InvalidInput(f"No question of {folder / 'queries.jsonl'} has a judgement in qrels.tsv.")
    return Dataset(
        name=folder.resolve().name,
        corpus=tuple(Entry(key, row.get("title") or "", row["text"]) for key, row in corpus.items()),
        queries=queries,
        qrels={key: qrels[key] for key in queries},
        answers={key: tuple(row["answers"]) for key, row in answers.items()},
        absent={key: row["text"] for key, row in absent.items()},
    )


def _of_sample_corpus(path: Path) -> Dataset:
    try:
        told = tomllib.loads(_MANIFEST.read_text(encoding="utf-8"))["document"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(
            f"The sample corpus of {_MANIFEST} cannot be read: {error}.", hint="It comes with the sources of Xuesi."
        ) from error
    files = [(_MANIFEST.parent / row["path"], row["title"]) for row in told]
    rows = [row for _, row in _json_lines(path, "id", "question")]
    there = [row for row in rows if not row.get("unanswerable")]
    return Dataset(
        name=path.stem,
        corpus=tuple(Entry(file.name, title, "", file) for file, title in files),
        queries={row["id"]: row["question"] for row in there},
        qrels={row["id"]: {it["document"]: 1 for it in (row, *row.get("also", ()))} for row in there},
        answers={row["id"]: tuple(it["answer"] for it in (row, *row.get("also", ()))) for row in there},
        absent={row["id"]: row["question"] for row in rows if row.get("unanswerable")},
    )


def _lines(path: Path, *, optional: bool = False) -> Iterator[tuple[int, str]]:
    if optional and not path.exists():
        return
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError as error:
        raise InvalidInput(
            f"{path} is missing.", hint="A question set has corpus.jsonl, queries.jsonl and qrels.tsv."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", hint="The files are UTF-8 text.") from error


def _by_id(path: Path, wanted: str, *, optional: bool = False) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for number, row in _json_lines(path, "_id", wanted, optional=optional):
        if not all(isinstance(held, str) for held in (row.get("title") or "", *row.get("answers", ()))):
            raise InvalidInput(f"{path}, line {number}: title and answers must be text.", hint="Put them in quotes.")
        if row["_id"] in rows:
            raise InvalidInput(f"{path}, line {number}: the id {row['_id']} comes twice.")
        rows[row["_id"]] = row
    return rows


def _json_lines(path: Path, key: str, wanted: str, *, optional: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    kind: type = list if wanted == "answers" else str
    for number, line in _lines(path, optional=optional):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidInput(f"{path}, line {number}: no JSON: {error}.") from error
        if not isinstance(row, dict) or not isinstance(row.get(key), str) or not isinstance(row.get(wanted), kind):
            raise InvalidInput(
                f"{path}, line {number}: needs {key} and {wanted}.", hint="See the form of question sets."
            )
        yield number, row


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        parts = line.split("\t")
        if len(parts) == 3 and number == 1 and not _is_integer(parts[2]):
            continue  # the header
        if len(parts) != 3 or not _is_integer(parts[2]):
            raise InvalidInput(f"{path}, line {number}: needs query-id, corpus-id and a whole score, tab between.")
        grades.setdefault(parts[0], {})[parts[1]] = int(parts[2])
    return grades


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("-").isdecimal()
