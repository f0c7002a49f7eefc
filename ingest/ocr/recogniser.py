"""What does a picture of one line say, and where along it does each character stand? PP-OCRv6's recogniser on OpenVINO, one line an inference.

rapidocr's own recogniser fills lines up to the widest of their batch and takes the probability of each of 18,710 characters out of the model at every
step; here each line keeps its width, and only the best character and its probability leave the model.
"""

import importlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from xuesi.core.ports import Floats

Picture = NDArray[np.uint8]
ReadLine = tuple[str, float, Floats]

_HEIGHT = 48  # of the lines that the model was trained on
_STEP = 32  # widths are filled up to a multiple, since the run time prepares itself for each width anew
_BLANK = 0


class Recogniser:
    """The model, with as many lines at a time as there are processors."""

    def __init__(self, path: Path) -> None:
        from xuesi.core.openvino_runtime import ov  # noqa: PLC0415 most files need no OCR; before any other part of it

        opset13 = importlib.import_module("openvino.opset13")
        core = ov.Core()
        model = core.read_model(path)
        self._characters = ["", *model.get_rt_info()["framework"]["character"].value.splitlines(), " "]
        each = model.output(0).get_node().input_value(0)
        best = opset13.topk(each, np.int32(1), axis=2, mode="max", sort="none", index_element_type="i32")
        self._streams = os.cpu_count() or 1
        settings = {"NUM_STREAMS": self._streams, "INFERENCE_NUM_THREADS": self._streams}
        chosen = ov.Model([best.output(0), best.output(1)], model.get_parameters(), "best")
        compiled = core.compile_model(chosen, "CPU", settings)
        self._free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self._streams):
            self._free.put(compiled.create_infer_request())

    def read(self, lines: Sequence[Picture]) -> list[ReadLine]:
        """Text, mean confidence in [0, 1], and the middle of each character along its line in [0, 1].

        Args:
            lines: (height, width, 3) each, blue, green, red, upright.
        """
        widest_first = sorted(range(len(lines)), key=lambda i: -lines[i].shape[1] / lines[i].shape[0])
        with ThreadPoolExecutor(self._streams) as pool:
            read = dict(zip(widest_first, pool.map(self._read, (lines[i] for i in widest_first)), strict=True))
        return [read[i] for i in range(len(lines))]

    def _read(self, line: Picture) -> ReadLine:
        given, share = _prepared(line)
        request = self._free.get()
        try:
            request.infer([given], share_inputs=True)
            probabilities, best = (request.get_output_tensor(i).data[0, :, 0].copy() for i in (0, 1))
        finally:
            self._free.put(request)
        return self._decode(probabilities, best, share)

    def _decode(self, probabilities: Floats, best: NDArray[np.int32], share: float) -> ReadLine:
        """Connectionist temporal classification, greedy: what differs from the step before and is not blank is a character."""
        said = best != _BLANK
        said[1:] &= best[1:] != best[:-1]
        if not said.any():
            return "", 0.0, np.empty(0, dtype=np.float32)
        text = "".join(self._characters[character] for character in best[said])
        middles = (np.flatnonzero(said) + 0.5) / (len(best) * share)
        return text, float(probabilities[said].mean()), middles.clip(0, 1).astype(np.float32)


def _prepared(line: Picture) -> tuple[Floats, float]:
    """The line as the model takes it, (1, 3, height, width) in [-1, 1], and the share of the width that is the line's own."""
    width = max(_STEP, round(_HEIGHT * line.shape[1] / line.shape[0]))
    whole = -(-width // _STEP) * _STEP
    given = np.zeros((1, 3, _HEIGHT, whole), dtype=np.float32)
    given[0, :, :, :width] = cv2.resize(line, (width, _HEIGHT)).astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    return given, width / whole
