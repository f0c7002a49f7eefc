"""How well are the right documents found? `xuesi eval retrieval`, through the product's own search, and beside it the baselines."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.baselines import Ranker, baselines, llama_index_hybrid
from eval.build import Built, build
from eval.dataset import Dataset, Entry, read_dataset
from eval.machine import conditions
from eval.metrics import CURVE, latency, ranking, recall_curve
from eval.significance import paired
from xuesi.core.domain import DocumentId
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.services import Services

_PASSAGES = 30
_WORST = 20
_SHOWN_HITS = 3
_SHOWN_CHARS = 120
_MEASURE = "ndcg@10"


def evaluate_retrieval(
    folder: Path,
    settings: Settings,
    *,
    limit: int | None = None,
    keep: Path | None = None,
    with_baselines: bool = False,
) -> dict[str, Any]:
    """Build an index of the corpus, ask its questions, and measure the ranking of documents.

    Args:
        folder: A question set in BEIR form, or a file of questions to the sample corpus.
        settings: Of the product under test; its data folder is left alone.
        limit: Ask at most so many questions.
        keep: Folder where the library is kept, or taken from if it was built before; without, it is thrown away.
        with_baselines: Ask the baselines the same questions of the same passages.

    Returns:
        `dataset`, `documents`, `refused` (documents that the pipeline did not take), `passages`, `queries`, `metrics`, `latency_ms` of search,
        `build_s`, `built_by` (commit), `recall` (at 1 to 20), `baselines`, `worst` (the questions with the least nDCG@10, with what was found
        instead), what `eval.machine.conditions` says, and under `each` the figures and the first documents
        of every question. A baseline has `metrics`, `latency_ms` and `recall` of its own, and under `against` what
        `eval.significance.paired` says of the product's nDCG@10 and its.

    Raises:
        InvalidInput: If the set is not of its form.
        Misconfigured: If the baselines are wanted and not installed.
    """
    dataset = read_dataset(folder).limited(limit)
    hybrid = llama_index_hybrid() if with_baselines else None
    with build(dataset.corpus, settings, keep=keep) as built, contextlib.ExitStack() as stack:
        others = stack.enter_context(baselines(built.services, hybrid)) if hybrid else {}
        return _measured(dataset, built, others) | conditions(settings)


def _measured(dataset: Dataset, built: Built, others: Mapping[str, Ranker]) -> dict[str, Any]:
    ranked, took_ms = _asked(dataset, {"": _product(built.services), **others}, built.entries)
    figures = {name: _figures(ranked[name], took_ms[name], dataset) for name in ranked}
    own, each = figures.pop("")
    for it, its in figures.values():
        it["against"] = paired([each[q][_MEASURE] for q in each], [its[q][_MEASURE] for q in each])
    return {
        "dataset": dataset.name,
        "documents": len(built.entries),
        "refused": len(built.refused),
        "passages": built.passages,
        "queries": len(each),
        **own,
        "build_s": round(built.took_s, 1),
        "built_by": built.built_by,
        "baselines": {name: it for name, (it, _) in figures.items()},
        "worst": [
            {_MEASURE: round(each[query][_MEASURE], 4), **_missed(query, ranked[""][query], dataset, built)}
            for query in _worst(each)
        ],
        "each": {
            query: {
                "query": dataset.queries[query],
                **{measure: round(value, 4) for measure, value in row.items()},
                "found": ranked[""][query][:10],
                "baselines": {name: round(its[query][_MEASURE], 4) for name, (_, its) in figures.items()},
            }
            for query, row in each.items()
        },
    }


def _asked(
    dataset: Dataset, rankers: Mapping[str, Ranker], entries: Mapping[DocumentId, str]
) -> tuple[dict[str, dict[str, list[str]]], dict[str, list[float]]]:
    """What each ranker found for each question, and the milliseconds; one after the other, so that all have the same machine."""
    ranked: dict[str, dict[str, list[str]]] = {name: {} for name in rankers}
    took_ms: dict[str, list[float]] = {name: [] for name in rankers}
    for query, text in dataset.queries.items():
        for name, ranker in rankers.items():
            try:
                ranked[name][query], ms = ranked_documents(text, ranker, entries)
            except InvalidInput:  # a question without a letter, say: refused by the product, so nothing is found
                ranked[name][query] = []
            else:
                took_ms[name].append(ms)
    return ranked, took_ms


def _figures(
    ranked: Mapping[str, Sequence[str]], took_ms: Sequence[float], dataset: Dataset
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    metrics, each = ranking(ranked, dataset.qrels)
    shown = {
        "metrics": {name: round(value, 4) for name, value in metrics.items()},
        "latency_ms": latency(took_ms),
        "recall": recall_curve(ranked, dataset.qrels),
    }
    return shown, each


def _product(services: Services) -> Ranker:
    return lambda question, limit: [hit.document.id for hit in services.searcher.search(question, limit=limit).hits]


def ranked_documents(
    query: str, ranker: Ranker, entries: Mapping[DocumentId, str], *, most: int = CURVE
) -> tuple[list[str], float]:
    """Corpus ids best first, each document at the rank of its best passage, and the milliseconds that the first search took.

    Where one search gives too few documents, because some have several passages among the hits, more passages are asked for.
    """
    limit = _PASSAGES
    started = time.perf_counter()
    hits = ranker(query, limit)
    took_ms = (time.perf_counter() - started) * 1000
    while True:
        found = list(dict.fromkeys(entries[document] for document in hits))
        if len(found) >= most or len(hits) < limit:
            return found[:most], took_ms
        limit *= 2
        hits = ranker(query, limit)


def _worst(each: Mapping[str, Mapping[str, float]]) -> list[str]:
    missed = [query for query, row in each.items() if row[_MEASURE] < 1]
    return sorted(missed, key=lambda query: each[query][_MEASURE])[:_WORST]


def _missed(query: str, found: Sequence[str], dataset: Dataset, built: Built) -> dict[str, Any]:
    """What should have been found, at which rank it was, if at all, and what was found before: asked once more, for the passages."""
    held = {entry.id: entry for entry in dataset.corpus}
    right = sorted(dataset.right(query))
    try:
        hits = built.services.searcher.search(dataset.queries[query], limit=_SHOWN_HITS).hits
    except InvalidInput:
        hits = ()
    shown = [(built.entries[hit.document.id], hit.passage.text) for hit in hits]
    return {
        "id": query,
        "query": dataset.queries[query],
        "expected": [_beginning(held[it], held[it].text) for it in right if it in held][:_SHOWN_HITS],
        "rank": next((rank for rank, it in enumerate(found, start=1) if it in right), None),
        "found": [_beginning(held[it], text) for it, text in shown],
    }


def _beginning(entry: Entry, text: str) -> dict[str, str]:
    joined = " ".join(text.split())
    shown = joined if len(joined) <= _SHOWN_CHARS else joined[:_SHOWN_CHARS] + "…"
    return {"id": entry.id, "title": entry.title, "text": shown}
