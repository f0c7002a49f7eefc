"""How fast is the search in a large library, with and without filters, and what memory does it take?

    python -m benchmarks.search --dataset DIR… [--passages 50000] [--data-dir FOLDER] [--json FILE]

Builds a library of N passages from the corpora of the datasets (BEIR form), 20 a document. The first `--real` passages are texts of the
corpora with the model's own vectors. The others are made of their sentences, with the mean of the vectors of the passages these come from,
perturbed, and tokens of random signs: embedding all would take the better part of an hour. FOLDER keeps the library, for `python -m benchmarks.start --data-dir FOLDER`.
"""

import argparse
import contextlib
import io
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from eval.machine import machine
from index.catalogue.catalogue import SqlCatalogue, open_catalogue
from index.catalogue.files import FileStore
from index.embedders.open import open_embedder
from index.embedders.token_codes import BITS, joined
from index.indexes import Indexes
from index.phrases import Dictionary
from index.pipeline import HybridSearcher
from index.publish import Publisher
from xuesi.core.domain import (
    NO_FILTERS,
    Document,
    DocumentId,
    Filters,
    Job,
    JobId,
    JobKind,
    JobState,
    Kind,
    Page,
    Passage,
    PassageId,
    Span,
    Version,
    VersionId,
    VersionState,
)
from xuesi.core.ids import new_id
from xuesi.core.ports import Bits, Embedder, EmbedInput, Floats, Reading, SentenceVectors
from xuesi.core.settings import Settings
from xuesi.core.text import in_context, sentences

ROOT = Path(__file__).resolve().parents[1]
_A_DOCUMENT = 20
_MOST_CHARS = 380
_TOKENS_A_CHAR = 0.66  # of Chinese, by the embedded model
_FILTERS = {
    "none": NO_FILTERS,
    "one document": Filters(issuer=("one",)),
    "1 % (kind)": Filters(kind=(Kind.LECTURE,)),
    "10 % (topic)": Filters(topic=("tenth",)),
    "half (dates)": Filters(published_from=date(2020, 1, 1), published_to=date(2021, 12, 31)),
    "all but 1 % (kinds)": Filters(kind=tuple(kind for kind in Kind if kind != Kind.LECTURE)),
}


@dataclass(frozen=True)
class Material:
    """Texts with their vectors, (texts, dimension), and questions."""

    texts: Sequence[str]
    vectors: Floats
    questions: Sequence[str]


def material(datasets: Sequence[Path], embedder: Embedder, *, real: int, seed: int = 0) -> Material:
    """`real` texts from the corpora, evenly and at random, embedded."""
    rng = random.Random(seed)
    texts, questions = [], []
    for folder in datasets:
        corpus = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
        rng.shuffle(corpus)
        texts += [entry["text"][:_MOST_CHARS] for entry in corpus[: real // len(datasets)]]
        asked = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        questions += [json.loads(line)["text"] for line in rng.sample(asked, min(100, len(asked)))]
    rng.shuffle(questions)
    vectors = embedder.embed_passages([EmbedInput(in_context("通报", (), text)[0]) for text in texts]).passages
    return Material(texts, vectors, questions)


def passages(of: Material, count: int, *, seed: int = 0) -> Iterator[tuple[str, Floats]]:
    """The texts themselves, then new ones of their sentences with perturbed vectors."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    yield from zip(of.texts[:count], of.vectors, strict=False)
    cut = [[span.of(text) for span in sentences(text)] for text in of.texts]
    for _ in range(count - len(of.texts)):
        chosen = rng.choices(range(len(of.texts)), k=3)
        text = "".join(sentence for i in chosen for sentence in rng.sample(cut[i], min(2, len(cut[i]))))[:_MOST_CHARS]
        mean = of.vectors[chosen].mean(axis=0)
        vector = mean + noise.normal(scale=0.15 / np.sqrt(len(mean)), size=len(mean))
        yield text, (vector / np.linalg.norm(vector)).astype(np.float32)


def fill(of: Material, count: int, *, catalogue: SqlCatalogue, files: FileStore, fingerprint: str) -> None:
    """Leave `count` passages to the publisher, 20 a document, as the worker does."""
    made = passages(of, count)
    for number in range(count // _A_DOCUMENT):
        _document(number, [next(made) for _ in range(_A_DOCUMENT)], catalogue, files, fingerprint)


def _document(
    number: int, parts: Sequence[tuple[str, Floats]], catalogue: SqlCatalogue, files: FileStore, fingerprint: str
) -> None:
    now = datetime.now(UTC)
    text = "\n".join(part for part, _ in parts)
    data = f"{number}\n{text}".encode()
    with files.put_original(io.BytesIO(data), limit_bytes=len(data), wanted=lambda _: True) as stored:
        pass  # the document that has it comes next, and nobody else is here
    document = Document(
        id=DocumentId(new_id()),
        title=f"通报第{number}号",
        kind=Kind.LECTURE if number % 100 == 1 else (Kind.NEWS, Kind.REGULATION, Kind.OTHER)[number % 3],
        created_at=now,
        issuer="one" if number == 7 else "",
        published_on=date(2020, 1, 1) + timedelta(days=number * 1461 // 2500 % 1461),
        topics=("tenth",) if number % 10 == 0 else (),
    )
    version = Version(
        id=VersionId(new_id()),
        document_id=document.id,
        number=1,
        sha256=stored.sha256,
        file_name="text.txt",
        media_type="text/plain",
        bytes=len(data),
        state=VersionState.QUEUED,
        added_at=now,
    )
    job = Job(JobId(new_id()), JobKind.INGEST, document.id, version.id, JobState.QUEUED, now, now)
    catalogue.add_document(document, version, job)
    cut, spans, of_passage, vectors, start = [], [], [], [], 0
    for ordinal, (part, vector) in enumerate(parts):
        cut.append(Passage(PassageId(new_id()), version.id, ordinal, Span(start, start + len(part)), part, 1, 1))
        for span in sentences(part):
            spans.append((start + span.start, start + span.end))
            of_passage.append(ordinal)
            vectors.append(vector)
        start += len(part) + 1
    page = Page(1, Span(0, len(text)), "1")
    files.put_reading(version, Reading(text=text, pages=(page,), blocks=()))
    catalogue.save_reading(version.id, pages=[page], passages=cut, chars=len(text), quality={})
    its = SentenceVectors(np.array(spans, np.int32), np.array(of_passage, np.int32), np.array(vectors, np.float16))
    files.put_vectors(
        version,
        fingerprint=fingerprint,
        title=document.title,
        passages=np.stack([v for _, v in parts]),
        sentences=its,
        tokens=joined([_signs(len(part), seed=number) for part, _ in parts]),
    )
    catalogue.claim_job(job.id, now=now, lease_until=now)
    catalogue.hand_over(job.id, now=now, attempt=1)


def _signs(chars: int, *, seed: int) -> Bits:
    return np.random.default_rng(seed).integers(0, 256, (round(chars * _TOKENS_A_CHAR), BITS // 8), np.uint8)


def latencies(searcher: HybridSearcher, questions: Sequence[str], filters: Filters) -> dict[str, float]:
    """Time of one search after the other, in ms, ten hits each; the first five only warm up."""
    times, hits, warming = [], 0, questions[:5]
    for question in [*warming, *questions]:
        started = time.perf_counter()
        hits += len(searcher.search(question, filters=filters).hits)
        times.append((time.perf_counter() - started) * 1000)
    ordered = sorted(times[len(warming) :])
    return {
        "p50_ms": statistics.median(ordered),
        "p95_ms": ordered[int(len(ordered) * 0.95)],
        "max_ms": ordered[-1],
        "mean_hits": hits / len(times),
    }


def measure(data_dir: Path, *, datasets: Sequence[Path], count: int, real: int, searches: int) -> dict[str, Any]:
    """Build the library in the folder if it is empty, open it anew, and search."""
    settings = Settings(data_dir=data_dir)
    embedder = open_embedder(embedding_model="embedded", models_dir=ROOT / "var" / "models", progress=print)
    of = material(datasets, embedder, real=real)
    files = FileStore(data_dir / "files")
    figures: dict[str, Any] = {
        "passages": count,
        "real_vectors": min(real, count),
        "perturbed_vectors": max(0, count - real),
    }
    address = f"sqlite:///{(data_dir / 'catalogue.db').absolute()}"
    with open_catalogue(address) as catalogue, opened(data_dir, catalogue, embedder) as indexes:
        if not catalogue.counts()["live_passages"]:
            fill(of, count, catalogue=catalogue, files=files, fingerprint=embedder.fingerprint)
            catalogue.set_fact("embedding_fingerprint", embedder.fingerprint)
            publisher = Publisher(catalogue=catalogue, files=files, indexes=indexes)
            started = time.perf_counter()
            while publisher.step():
                pass
            figures["published_per_s"] = count / (time.perf_counter() - started)
    started = time.perf_counter()
    with open_catalogue(address) as catalogue, opened(data_dir, catalogue, embedder) as indexes:
        figures["open_s"] = time.perf_counter() - started
        searcher = HybridSearcher(
            embedders={embedder.fingerprint: embedder}, indexes=indexes, catalogue=catalogue, files=files, dictionary=Dictionary(catalogue),
            weight=settings.lexical_weight, late_weight=settings.late_weight, candidates=settings.candidates, max_chars=settings.max_question_chars,
        )  # fmt: skip
        asked = of.questions[:searches]
        figures["search"] = {name: latencies(searcher, asked, filters) for name, filters in _FILTERS.items()}
        long = "".join(of.texts[:20])[: settings.max_question_chars]
        figures["search"]["question of 2,000 characters"] = latencies(searcher, [long] * 10, NO_FILTERS)
        figures["resident_mb"] = psutil.Process().memory_info().rss / 1e6
    return figures


def opened(data_dir: Path, catalogue: SqlCatalogue, embedder: Embedder) -> contextlib.closing[Indexes]:
    """The indexes in the folder, until the block ends."""
    return contextlib.closing(Indexes(data_dir, catalogue=catalogue, fingerprint=embedder.fingerprint))


def main() -> dict[str, Any]:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, action="append", required=True)
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--real", type=int, default=1500, help="passages with the model's own vectors")
    parser.add_argument("--searches", type=int, default=200, help="a filter")
    parser.add_argument("--data-dir", type=Path, help="kept; searched as it is if it holds a library")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.data_dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(
            folder, datasets=given.dataset, count=given.passages, real=given.real, searches=given.searches
        )
    result = {"machine": machine(), "datasets": [folder.name for folder in given.dataset], **figures}
    for name, value in result.items():
        if name != "search":
            print(f"{name:>30}  {value if not isinstance(value, float) else f'{value:.2f}'}")
    print(f"{'search within':>30}  {'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}{'hits':>6}")
    for name, row in figures["search"].items():
        print(f"{name:>30}  {row['p50_ms']:8.1f}{row['p95_ms']:8.1f}{row['max_ms']:8.1f}{row['mean_hits']:6.1f}")
    if given.json:
        given.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    main()
