"""Which vectors does the embedded model give? Runs a prepared model with OpenVINO; torch is never imported.

One forward pass gives a vector for each token; from these come the passage's vector, its sentences' vectors and, where
asked for, the token vectors themselves (late interaction).
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.embedders.card import GRAPH, TOKENIZER, read_card
from index.embedders.openvino_runtime import ov
from xuesi.core.domain import Span
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import Embedded, EmbeddedQuery, EmbedInput, Floats, Ints, TokenVectors

_BATCH_TOKENS = 1024  # larger batches are hardly faster on a CPU, and a waiting question waits for a whole batch
_SLICE = 1024  # inputs tokenised and sorted at a time: bounds memory and keeps padding low
_PREPARE_AGAIN = "Delete this folder; it is made again at the next start."


class OpenVinoEmbedder:
    """A prepared model, in bfloat16 where the CPU computes with it and in float32 elsewhere.

    Safe to call from several threads; their forward passes take turns, batch by batch. A vector depends on the batch it
    was computed in only by rounding (cosine above 0.999). Inputs over `max_tokens` are cut without an error.

    Args:
        folder: What `prepare_model` returned.
        threads: CPU threads of a forward pass; 0 for all cores.

    Raises:
        Misconfigured: The folder is incomplete or damaged.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        card = read_card(folder)
        if card is None:
            raise Misconfigured(f"There is no prepared embedding model in {folder}.", hint="Run xuesi serve once.")
        self._card = card
        try:
            with ThreadPoolExecutor(1) as pool:  # the graph is compiled while the tokenizer is read: half a second less
                compiled = pool.submit(_compile, folder / GRAPH, threads=threads)
                self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._request = compiled.result().create_infer_request()
        except Exception as exc:  # tokenizers and openvino raise plain Exception and RuntimeError for damaged files
            raise Misconfigured(
                f"The prepared embedding model in {folder} cannot be opened: {exc}", hint=_PREPARE_AGAIN
            ) from exc
        self._turn = threading.Lock()

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

    def embed_passages(self, inputs: Sequence[EmbedInput], *, with_tokens: bool = False) -> Embedded:
        """Vectors in the order of `inputs`.

        A sentence of which nothing is left after the cut at `max_tokens` gets its passage's vector. A model with
        first-token pooling has no sentence vectors: means of its tokens lie in no common space with its questions.

        Args:
            inputs: Any number of texts of any length.
            with_tokens: Whether token vectors are wanted too: about 1.5 kB each.
        """
        passages = np.empty((len(inputs), self.dimension), np.float32)
        sentences: list[Floats] = [np.empty((0, self.dimension), np.float32)] * len(inputs)
        tokens: list[TokenVectors | None] = [None] * len(inputs)
        for place, read, hidden in self._forward([item.text for item in inputs], self._card.passage_prefix):
            passages[place] = vector = self._pool(hidden)
            if self._card.pooling == "mean":
                sentences[place] = _sentence_vectors(inputs[place].sentences, hidden, read.offsets, instead=vector)
            if with_tokens:
                tokens[place] = read.vectors(hidden)
        found = tuple(item for item in tokens if item is not None)
        return Embedded(passages=passages, sentences=tuple(sentences), tokens=found if with_tokens else None)

    def embed_query(self, text: str) -> EmbeddedQuery:
        """The question's vector and its token vectors."""
        ((_, read, hidden),) = self._forward([text], self._card.query_prefix)
        return EmbeddedQuery(vector=self._pool(hidden), tokens=read.vectors(hidden))

    def _forward(self, texts: Sequence[str], prefix: str) -> Iterator[tuple[int, "_Read", Floats]]:
        """For each text, in an order that suits the model: its place, its tokens, and (tokens, dimension) float32."""
        for start in range(0, len(texts), _SLICE):
            encodings = self._tokenizer.encode_batch([prefix + text for text in texts[start : start + _SLICE]])
            reads = [_read(encoding, prefix_chars=len(prefix), limit=self.max_tokens) for encoding in encodings]
            for batch in _batches([len(read.ids) for read in reads]):
                hidden = self._infer([reads[place].ids for place in batch])
                for row, place in enumerate(batch):
                    yield start + place, reads[place], hidden[row, : len(reads[place].ids)]

    def _infer(self, rows: Sequence[NDArray[np.int64]]) -> Floats:
        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._card.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        with self._turn:
            # copied: the result lies in the request's own memory, which the next batch overwrites
            hidden: Floats = self._request.infer([ids, mask], share_inputs=True, share_outputs=True)[0].copy()
        return hidden

    def _pool(self, hidden: Floats) -> Floats:
        pooled: Floats = hidden[0] if self._card.pooling == "cls" else hidden.mean(axis=0)
        return _unit(pooled)


def _compile(graph: Path, *, threads: int) -> "ov.CompiledModel":
    core = ov.Core()
    fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if fast else "f32",  # said openly: the default depends on the hint above
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    return core.compile_model(graph, "CPU", settings)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts, longest first, so that a batch holds texts of nearly one length and at most _BATCH_TOKENS."""
    order = iter(sorted(range(len(lengths)), key=lambda place: -lengths[place]))
    for longest in order:
        yield [longest, *islice(order, max(1, _BATCH_TOKENS // lengths[longest]) - 1)]


@dataclass(frozen=True, slots=True)
class _Read:
    """A text in tokens: their ids, where each stands in the text without its prefix, and which belong to the text."""

    ids: NDArray[np.int64]
    offsets: Ints
    own: NDArray[np.bool_]

    def vectors(self, hidden: Floats) -> TokenVectors:
        return TokenVectors(vectors=_unit(hidden[self.own]), offsets=self.offsets[self.own])


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
