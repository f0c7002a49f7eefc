"""Where do the constants of answer/confidence.py come from? `python -m eval.fit_confidence --dataset DIR… [--check DIR…] [--documents 300]`.

Each set is built twice through the product's pipeline: whole, without the right documents of half of the questions, and as a small library
of a few documents, for which the questions about the other documents have no answer. Every library of every set weighs the same. The sets to check are
built the same way, and nothing is fitted on them.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from answer.asked import asked
from answer.confidence import FEATURES, features
from answer.evidence import gather
from answer.sources import Sources
from answer.typical import TypicalQuestion
from eval.build import build
from eval.dataset import Dataset, read_dataset
from eval.metrics import auroc, calibration_error, reliability
from xuesi.core.ports import Floats
from xuesi.core.settings import Settings, load_settings
from xuesi.services import Services

Rows = NDArray[np.float64]
# Of the questions that are asked in earnest, this share has an answer in the material, it is assumed.
_ANSWERABLE = 0.6
_RIDGE = 1e-3
_STEPS = 100


def main() -> None:
    """Fit and print the constants with the AUROC on each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, action="append", required=True)
    parser.add_argument("--check", type=Path, action="append", default=[])
    parser.add_argument(
        "--documents", type=int, help="documents of a set, by chance, with their questions; all of them if not given"
    )
    parser.add_argument("--small", type=int, default=40, help="documents of the small library")
    parser.add_argument("--questions", type=int, default=400, help="most questions of a kind")
    given = parser.parse_args()
    settings = load_settings()
    kinds = _kinds(given.dataset, settings, given)
    weights = fit([(there, absent) for _, there, absent in kinds])
    print(f"_BIAS = {weights[0]:.2f}")
    print(f"_WEIGHTS = ({', '.join(f'{w:.2f}' for w in weights[1:])})  # {', '.join(FEATURES)}")
    _tell("fitted", kinds, weights)
    _tell("checked", _kinds(given.check, settings, given), weights)


def _kinds(folders: Sequence[Path], settings: Settings, given: argparse.Namespace) -> list[tuple[str, Rows, Rows]]:
    """Each library of each set by name, with the features of the questions that it answers and of those that it does not."""
    cut = given.documents
    datasets = [read_dataset(folder) for folder in folders]
    if cut:
        datasets = [replace(small(d, documents=cut, seed=1), absent={}) for d in datasets]
    shapes = [s for d in datasets for s in (d.withheld(0.5, seed=0), small(d, documents=given.small, seed=0))]
    return [(f"{s.name}/{len(s.corpus)}", *_rows(s, settings, most=given.questions)) for s in shapes]


def _tell(what: str, kinds: Sequence[tuple[str, Rows, Rows]], weights: Rows) -> None:
    for name, there, absent in kinds:
        yes, no = list(probability(there, weights)), list(probability(absent, weights))
        print(
            f"{what} {name}: {len(yes)} and {len(no)} questions, AUROC {auroc(yes, no):.3f}, answered {np.mean(np.array(yes) >= 0.5):.3f},"
            f" wrongly {np.mean(np.array(no) >= 0.5):.3f}, calibration error {calibration_error(reliability(yes, no)):.3f}"
        )


def small(dataset: Dataset, *, documents: int, seed: int) -> Dataset:
    """A library of a few documents of the set: the questions about them stay, the others are absent."""
    kept = {entry.id for entry in random.Random(seed).sample(dataset.corpus, min(documents, len(dataset.corpus)))}  # noqa: S311
    there = {query for query in dataset.queries if dataset.right(query) & kept}
    return replace(
        dataset,
        corpus=tuple(entry for entry in dataset.corpus if entry.id in kept),
        queries={q: text for q, text in dataset.queries.items() if q in there},
        qrels={q: dataset.qrels[q] for q in there},
        absent={q: text for q, text in dataset.queries.items() if q not in there},
    )


def fit(kinds: Sequence[tuple[Rows, Rows]]) -> Rows:
    """Logistic regression with a small ridge by Newton's method (Hastie et al. 2009, 4.4), every kind of the same weight.

    Args:
        kinds: For each kind the features (questions, features) of those that have an answer and of those that have none.

    Returns:
        (1 + features,): the bias and the weights.
    """
    sides = [(side, float(there)) for yes, no in kinds for side, there in ((yes, 1.0), (no, 0.0)) if len(side)]
    inputs = np.concatenate([np.hstack([np.ones((len(side), 1)), side]) for side, _ in sides])
    truth = np.concatenate([np.full(len(side), there) for side, there in sides])
    prior = {1.0: 2 * _ANSWERABLE, 0.0: 2 * (1 - _ANSWERABLE)}
    weight = np.concatenate([np.full(len(side), prior[there] / len(side)) for side, there in sides])
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (weight * (truth - chance)) - _RIDGE * weights
        curvature = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs + _RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, gradient)
    return weights


def probability(rows: Rows, weights: Rows) -> Rows:
    """(questions,) in [0, 1]."""
    chance: Rows = 1 / (1 + np.exp(-weights[0] - rows @ weights[1:]))
    return chance


def _rows(dataset: Dataset, settings: Settings, *, most: int) -> tuple[Rows, Rows]:
    order = random.Random(0)  # noqa: S311
    with build(dataset.corpus, settings) as built:
        typical = TypicalQuestion(built.services.embedder.embed_query).vector
        sides = [list(questions.values()) for questions in (dataset.queries, dataset.absent)]
        there, absent = (
            np.array([_features(text, built.services, typical) for text in order.sample(side, min(most, len(side)))])
            for side in sides
        )
    return there, absent


def _features(question: str, services: Services, typical: Floats) -> tuple[float, ...]:
    found = services.searcher.search(question, strict=False)  # as the answerer does
    sources = Sources(services.catalogue, services.files, fingerprint=found.embedder.fingerprint)
    about = asked(question, found.lexical, tokens=services.indexes.tokens)
    ranked = gather(
        question,
        found,
        about=about,
        sentences_of=lambda version_id: sources.of(version_id).sentences,
        tokens=services.indexes.tokens,
        typical=typical,
    )
    return features(question, found, ranked, about=about, tokens=services.indexes.tokens)


if __name__ == "__main__":
    main()
