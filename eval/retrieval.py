"""How well are the right documents found? `xuesi eval retrieval`, through the product's own search."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.build import Built, build
from eval.dataset import Dataset, read_dataset
from eval.metrics import latency, ranking
from xuesi.core.domain import DocumentId
from xuesi.core.errors import InvalidInput
from xuesi.core.ports import Searcher
from xuesi.core.settings import Settings

_DOCUMENTS = 20  # as far as recall@20 looks
_PASSAGES = 30


def evaluate_retrieval(folder: Path, settings: Settings, *, limit: int | None = None) -> dict[str, Any]:
    """Build a fresh index of the corpus, ask its questions, and measure the ranking of documents.

    Args:
        folder: A question set in BEIR form.
        settings: Of the product under test; its data folder is left alone.
        limit: Ask at most so many questions.

    Returns:
        `dataset`, `documents`, `refused` (documents that the pipeline did not take), `passages`, `queries`, `metrics`, `latency_ms` of search, `build_s`, and under `each` the figures and the
        first documents of every question.

    Raises:
        InvalidInput: If the set is not of its form.
    """
    dataset = read_dataset(folder).limited(limit)
    with build(dataset.corpus, settings) as built:
        return _measured(dataset, built)


def _measured(dataset: Dataset, built: Built) -> dict[str, Any]:
    ranked: dict[str, list[str]] = {}
    took_ms: list[float] = []
    for query, text in dataset.queries.items():
        try:
            ranked[query], ms = ranked_documents(text, built.services.searcher, built.entries)
        except InvalidInput:  # a question without a letter, say: refused by the product, so nothing is found
            ranked[query] = []
        else:
            took_ms.append(ms)
    metrics, each = ranking(ranked, dataset.qrels)
    return {
        "dataset": dataset.name,
        "documents": len(built.entries),
        "refused": len(built.refused),
        "passages": built.passages,
        "queries": len(ranked),
        "metrics": {name: round(value, 4) for name, value in metrics.items()},
        "latency_ms": latency(took_ms),
        "build_s": round(built.took_s, 1),
        "each": {query: {**each[query], "found": found[:10]} for query, found in ranked.items()},
    }


def ranked_documents(
    query: str, searcher: Searcher, entries: Mapping[DocumentId, str], *, most: int = _DOCUMENTS
) -> tuple[list[str], float]:
    """Corpus ids best first, each document at the rank of its best passage, and the milliseconds that the first search took.

    Where one search gives too few documents, because some have several passages among the hits, more passages are asked for.
    """
    limit = _PASSAGES
    started = time.perf_counter()
    hits = searcher.search(query, limit=limit).hits
    took_ms = (time.perf_counter() - started) * 1000
    while True:
        found = list(dict.fromkeys(entries[hit.document.id] for hit in hits))
        if len(found) >= most or len(hits) < limit:
            return found[:most], took_ms
        limit *= 2
        hits = searcher.search(query, limit=limit).hits
