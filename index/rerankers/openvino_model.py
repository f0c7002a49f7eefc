"""How does a prepared cross-encoder score pairs? Runs it with OpenVINO; torch is never imported."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from index.prepared.card import GRAPH, TOKENIZER
from index.prepared.streams import Batch, Row, Streams, batches, filled, mask_of
from index.rerankers.card import read_card
from xuesi.core.errors import Misconfigured
from xuesi.core.openvino_runtime import ov
from xuesi.core.ports import Floats


class OpenVinoReranker:
    """A prepared cross-encoder. Safe to call from several threads: one is served after the other, each with all cores.

    The tokenizer is opened and the graph compiled at the first use, since not every command searches.

    Args:
        folder: What `prepare` returned.

    Raises:
        Misconfigured: The folder is incomplete or damaged; where it is the tokenizer, at its first use.
    """

    def __init__(self, folder: Path) -> None:
        card = read_card(folder)
        if card is None:
            raise Misconfigured(f"There is no prepared reranker in {folder}.", hint="Run xuesi serve once.")
        self._card = card
        self._folder = folder
        with self._opened():
            self._graph = ov.Core().read_model(folder / GRAPH)
        self._parts: tuple[Tokenizer, Streams] | None = None
        self._opening = threading.Lock()

    def score(self, query: str, passages: Sequence[str]) -> Floats:
        """The model's scores of the pairs, in the order of `passages`."""
        scores = np.empty(len(passages), np.float32)
        tokenizer, streams = self._running()
        encoded = tokenizer.encode_batch([(query, passage) for passage in passages])
        pairs = [_read(it, limit=self._card.max_tokens) for it in encoded]
        grouped = list(batches([len(pair.ids) for pair in pairs], streams=streams.count))
        outputs = streams.run(self._batch([pairs[place] for place in group]) for group in grouped)
        for group, output in zip(grouped, outputs, strict=True):
            scores[group] = output[:, 0]
        return _sigmoid(scores) if self._card.activation == "sigmoid" else scores

    def _batch(self, pairs: Sequence["_Pair"]) -> Batch:
        ids = [pair.ids for pair in pairs]
        batch = filled(ids, self._card.pad_id), mask_of(ids)
        if not self._card.type_ids:
            return batch
        return *batch, filled([pair.types for pair in pairs], self._card.pad_type_id)

    def _running(self) -> tuple[Tokenizer, Streams]:
        with self._opening, self._opened():
            if self._parts is None:
                tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
                self._parts = tokenizer, Streams(self._graph, count=1, threads=0)
            return self._parts

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except Exception as exc:  # tokenizers and openvino raise plain Exception and RuntimeError for damaged files
            raise Misconfigured(
                f"The prepared reranker in {self._folder} cannot be opened: {exc}",
                hint="Delete this folder; it is made again at the next start.",
            ) from exc


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair in tokens: their ids, and of which side they are as the model is told it."""

    ids: Row
    types: Row


def _read(encoding: Encoding, *, limit: int) -> _Pair:
    """Take the tokens over, at most `limit`; special tokens all stay.

    What is too long is cut as tokenizers' own `longest_first` does. That one would also make every pairing of the pieces it cuts off: gigabytes for two
    long texts.
    """
    sides = np.asarray([-1 if side is None else side for side in encoding.sequence_ids])
    kept = np.ones(len(sides), bool)
    if len(sides) > limit:
        places = [np.flatnonzero(sides == side) for side in (0, 1)]
        room = shares(len(places[0]), len(places[1]), room=limit - int((sides < 0).sum()))
        for its, most in zip(places, room, strict=True):
            kept[its[most:]] = False
    return _Pair(np.asarray(encoding.ids, np.int64)[kept], np.asarray(encoding.type_ids, np.int64)[kept])


def shares(first: int, second: int, *, room: int) -> tuple[int, int]:
    """How many tokens of two texts of `first` and `second` tokens stay where there is room for fewer: the shorter whole, if it takes no more than half."""
    shorter = min(first, second)
    if 2 * shorter >= room:  # both are cut, and what is odd goes to the longer one
        small, large = room // 2, room - room // 2
    else:
        small, large = shorter, room - shorter
    return (large, small) if first > second else (small, large)


def _sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-x)), written so that no large exponential is taken."""
    small = np.exp(-np.abs(values))
    scores: Floats = np.where(values >= 0, 1, small) / (1 + small)
    return scores
