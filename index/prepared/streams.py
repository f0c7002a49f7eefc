"""How does a prepared model compute? Its graph, run by OpenVINO on batches of texts of nearly one length."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from xuesi.core.openvino_runtime import ov
from xuesi.core.ports import Floats

_BATCH_TOKENS = (
    1024  # larger batches are hardly faster on a CPU, and a waiting question shares the cores with a whole batch
)
_PADDING = 16  # tokens added to a text to fill its row; beyond that a batch of its own costs less

Row = NDArray[np.int64]  # the tokens of a text: ids, say
Batch = tuple[NDArray[np.int64], ...]  # what the graph takes, each (texts, tokens): ids, mask, …


class Streams:
    """The compiled graph, running `count` batches side by side, `threads` CPU threads in all. Safe to share among threads.

    It computes in bfloat16 where the CPU does, and in float32 elsewhere.
    """

    def __init__(self, graph: "ov.Model", *, count: int, threads: int) -> None:
        compiled = _compile(graph, streams=count, threads=threads)
        self._free: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(count):
            self._free.put(compiled.create_infer_request())
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="embed")

    def run(self, batches: Iterable[Batch]) -> Iterator[Floats]:
        """The graph's output for each batch, in order; few are held at a time."""
        if self.count == 1:
            yield from map(self._infer, batches)
            return
        running: deque[Future[Floats]] = deque()
        for batch in batches:
            running.append(self._pool.submit(self._infer, batch))
            if len(running) > self.count:
                yield running.popleft().result()
        for last in running:
            yield last.result()

    def _infer(self, batch: Batch) -> Floats:
        request = self._free.get()
        try:
            # copied: the result lies in the request's own memory, which the next batch overwrites
            output: Floats = request.infer(batch, share_inputs=True, share_outputs=True)[0].copy()
        finally:
            self._free.put(request)
        return output


def _compile(graph: "ov.Model", *, streams: int, threads: int) -> "ov.CompiledModel":
    core = ov.Core()
    fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings = {
        "NUM_STREAMS": str(streams),
        "INFERENCE_PRECISION_HINT": "bf16" if fast else "f32",  # said openly: the default depends on other settings
        "ENABLE_CPU_PINNING": "NO",  # a server and its worker would be bound to the same cores, and wait for each other
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    return core.compile_model(graph, "CPU", settings)


def batches(lengths: Sequence[int], *, streams: int) -> Iterator[list[int]]:
    """Places of texts, longest first, so that a batch holds texts of nearly one length and at most _BATCH_TOKENS, and no stream idles."""
    tokens = min(_BATCH_TOKENS, math.ceil(sum(lengths) / streams))
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        longest = lengths[batch[0]] if batch else 0
        if batch and (longest * (len(batch) + 1) > tokens or longest - lengths[place] > _PADDING):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def filled(rows: Sequence[Row], pad: int) -> NDArray[np.int64]:
    """The rows as (texts, tokens), short ones filled up with `pad`."""
    array = np.full((len(rows), max(map(len, rows))), pad, np.int64)
    for place, row in enumerate(rows):
        array[place, : len(row)] = row
    return array


def mask_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """(texts, tokens): 1 where a row has a token, 0 where it is filled up."""
    return filled([np.ones_like(row) for row in rows], 0)
