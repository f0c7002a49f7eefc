"""Which vectors does the embedded model give? Runs a prepared model with OpenVINO; torch is never imported.

One forward pass gives a vector for each token; from these come the passage's vector, its sentences' vectors and the codes of
the tokens themselves (late interaction).
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.embedders.card import read_card
from index.embedders.token_codes import TokenCoder, joined
from index.prepared.card import GRAPH, TOKENIZER
from index.prepared.streams import Streams, batches, filled, mask_of
from xuesi.core.domain import Span
from xuesi.core.errors import Misconfigured
from xuesi.core.openvino_runtime import ov
from xuesi.core.ports import Bits, Embedded, EmbeddedQuery, EmbedInput, Floats, Ints

_MOST_STREAMS = 4  # each has buffers of its own; more cores than that share the streams
_SLICE = 1024  # inputs tokenised and sorted at a time: bounds memory and keeps padding low
_PREPARE_AGAIN = "Delete this folder; it is made again at the next start."


class OpenVinoEmbedder:
    """A prepared model, in bfloat16 where the CPU computes with it and in float32 elsewhere.

    Safe to call from several threads. A question has all cores to itself, for the shortest wait; the batches of many passages run side by
    side on few cores each, which wastes less. A vector depends on the batch it was computed in only by rounding (cosine above 0.999).
    Inputs over `max_tokens` are cut without an error. The tokenizer and each of the two ways are opened when they are first needed, for not every
    command needs them: that takes a second, and half a second and 300 MB or more.

    Args:
        folder: What `prepare_model` returned.
        threads: CPU threads in all; 0 for all cores.

    Raises:
        Misconfigured: The folder is incomplete or damaged; where it is the tokenizer, at its first use.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        card = read_card(folder)
        if card is None:
            raise Misconfigured(f"There is no prepared embedding model in {folder}.", hint="Run xuesi serve once.")
        self._card = card
        self._folder = folder
        with self._opened():
            self._coder = TokenCoder.read(folder)
            self._graph = ov.Core().read_model(folder / GRAPH)
        self._threads = threads
        self._one: Streams | None = None
        self._many: Streams | None = None
        self._opening = threading.Lock()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        with self._opened():
            return Tokenizer.from_file(str(self._folder / TOKENIZER))

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except Exception as exc:  # tokenizers and openvino raise plain Exception and RuntimeError for damaged files
            raise Misconfigured(
                f"The prepared embedding model in {self._folder} cannot be opened: {exc}", hint=_PREPARE_AGAIN
            ) from exc

    @property
    def fingerprint(self) -> str:
        """Names model, weights, prefixes, pooling and length limit."""
        return self._card.fingerprint

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return self._card.dimension

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, prefix and special tokens included."""
        return self._card.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a passage, prefix and special tokens included, also beyond `max_tokens`."""
        prefix = self._card.passage_prefix
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast([prefix + text for text in texts])]

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        """Vectors in the order of `inputs`.

        A sentence of which nothing is left after the cut at `max_tokens` gets its passage's vector. A model with
        first-token pooling has no sentence vectors: means of its tokens lie in no common space with its questions.
        """
        passages = np.empty((len(inputs), self.dimension), np.float32)
        sentences: list[Floats] = [np.empty((0, self.dimension), np.float32)] * len(inputs)
        codes: list[Bits] = [np.empty((0, 0), np.uint8)] * len(inputs)
        for place, read, hidden in self._forward(
            [item.text for item in inputs], self._card.passage_prefix, self._side_by_side()
        ):
            passages[place] = vector = self._pool(hidden)
            if self._card.pooling == "mean":
                sentences[place] = _sentence_vectors(inputs[place].sentences, hidden, read.offsets, instead=vector)
            codes[place] = self._coder.codes(_unit(hidden[read.own]))
        return Embedded(passages=passages, sentences=tuple(sentences), tokens=joined(codes) if codes else None)

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector and its token vectors."""
        ((_, read, hidden),) = self._forward([text], self._card.query_prefix, self._alone())
        return EmbeddedQuery(vector=self._pool(hidden), tokens=self._coder.question(_unit(hidden[read.own])))

    def token_vectors(self, texts: Sequence[str]) -> Floats:
        """The vectors of the tokens of all these passages, (tokens, dimension) of unit norm, as the model gives them."""
        forward = self._forward(texts, self._card.passage_prefix, self._side_by_side())
        return np.concatenate([_unit(hidden[read.own]) for _, read, hidden in forward])

    def _forward(self, texts: Sequence[str], prefix: str, streams: Streams) -> Iterator[tuple[int, "_Read", Floats]]:
        """For each text, in an order that suits the model: its place, its tokens, and (tokens, dimension) float32."""
        for start in range(0, len(texts), _SLICE):
            encodings = self._tokenizer.encode_batch([prefix + text for text in texts[start : start + _SLICE]])
            reads = [_read(encoding, prefix_chars=len(prefix), limit=self.max_tokens) for encoding in encodings]
            grouped = list(batches([len(read.ids) for read in reads], streams=streams.count))
            rows = ([reads[place].ids for place in group] for group in grouped)
            inputs = ((filled(ids, self._card.pad_id), mask_of(ids)) for ids in rows)
            for group, hidden in zip(grouped, streams.run(inputs), strict=True):
                for row, place in enumerate(group):
                    yield start + place, reads[place], hidden[row, : len(reads[place].ids)]

    def _alone(self) -> Streams:
        """A worker does without."""
        with self._opening:
            if self._one is None:
                self._one = Streams(self._graph, count=1, threads=self._threads)
            return self._one

    def _side_by_side(self) -> Streams:
        """A server that only answers does without."""
        with self._opening:
            if self._many is None:
                several = min(self._threads or os.cpu_count() or 1, _MOST_STREAMS)
                self._many = Streams(self._graph, count=several, threads=self._threads)
            return self._many

    def _pool(self, hidden: Floats) -> Floats:
        pooled: Floats = hidden[0] if self._card.pooling == "cls" else hidden.mean(axis=0)
        return _unit(pooled)


@dataclass(frozen=True, slots=True)
class _Read:
    """A text in tokens: their ids, where each stands in the text without its prefix, and which belong to the text."""

    ids: NDArray[np.int64]
    offsets: Ints
    own: NDArray[np.bool_]


def _read(encoding: Encoding, *, prefix_chars: int, limit: int) -> _Read:
    """Take the tokens over, at most `limit`: what is cut stands before the closing special tokens, which stay."""
    special = np.asarray(encoding.special_tokens_mask) == 1
    kept = np.arange(len(special))
    if len(kept) > limit:
        closing = int(special[::-1].argmin())
        kept = np.concatenate([kept[: limit - closing], kept[len(kept) - closing :]])
    offsets = np.asarray(encoding.offsets, np.int32).reshape(-1, 2)[kept] - np.int32(prefix_chars)
    own = (offsets[:, 1] > 0) & ~special[kept]
    return _Read(ids=np.asarray(encoding.ids, np.int64)[kept], offsets=np.maximum(offsets, 0), own=own)


def _sentence_vectors(spans: Sequence[Span], hidden: Floats, offsets: Ints, *, instead: Floats) -> Floats:
    """Mean vector of the tokens that end in each span, (spans, dimension), unit norm; `instead` where there are none."""
    if not spans:
        return np.empty((0, hidden.shape[1]), np.float32)
    # by their last character, because a token may take in the space before its sentence
    last = offsets[:, 1] - 1
    starts, ends = np.asarray([(span.start, span.end) for span in spans]).T
    members = ((last >= starts[:, None]) & (last < ends[:, None])).astype(np.float32)
    vectors = members @ hidden
    vectors[members.sum(axis=1) == 0] = instead
    return _unit(vectors)


def _unit(vectors: Floats) -> Floats:
    norms: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(norms, np.float32(1e-12))).astype(np.float32)
