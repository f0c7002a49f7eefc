"""Which lines does a picture show, and where is each of their characters? PP-OCRv6 through rapidocr on OpenVINO.

The two models are loaded when the first picture comes, from the package's own folder by path, so that nothing looks for them elsewhere. The
place of a character comes from the step of the recogniser at which it was read, not from dividing the line evenly.
"""

import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.ocr.recogniser import Picture, Recogniser
from xuesi.core.ports import Floats

SURE = 0.8  # mean confidence of a line's characters; below it the line is left out
_TALL = 1.5  # a box this much higher than wide holds a line that runs down or up
_SEARCH_SHARE = (
    0.53  # of the picture's longer side at which lines are looked for: they need less detail than characters
)
_SAMPLE = 6  # lines that tell which way a page is turned
_READS_WELL = 0.9


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A line of a picture. `boxes` (len(text), 4) left, top, right, bottom in pixels of the picture as given; `score` in [0, 1]."""

    text: str
    boxes: Floats
    score: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What a picture shows: the lines that are sure, how many were not, and the quarter turns against the clock after which it reads upright."""

    lines: tuple[SeenLine, ...]
    doubtful: int
    turns: int


def see(picture: Picture, *, covered: NDArray[np.bool_] | None = None) -> Seen:
    """Read a picture.

    Args:
        picture: (height, width, 3), blue, green, red.
        covered: (height, width) of what is known already; lines that lie on it are passed over.
    """
    quads = _find(picture)
    if covered is not None:
        quads = [quad for quad in quads if not _lies_on(quad, covered)]
    if not quads:
        return Seen((), 0, 0)
    turns = _turns(picture, quads)
    turned: Picture = np.ascontiguousarray(np.rot90(picture, turns))
    if turns:
        quads = _find(turned)
        if covered is not None:
            hidden = np.rot90(covered, turns)
            quads = [quad for quad in quads if not _lies_on(quad, hidden)]
    read = _recognise(turned, quads)
    sure = [
        SeenLine(line.text, _back(line.boxes, turns, turned.shape), line.score) for line in read if line.score >= SURE
    ]
    return Seen(tuple(sure), len(read) - len(sure), turns)


@cache
def _recogniser() -> Recogniser:
    """The model, kept for the life of the process, as the detector."""
    return Recogniser(_models() / "PP-OCRv6_rec_small.onnx")


@cache
def _detector() -> Any:
    import xuesi.core.openvino_runtime  # noqa: F401, I001, PLC0415 before rapidocr loads it
    from rapidocr import EngineType, RapidOCR  # noqa: PLC0415 takes seconds, and most files need no OCR

    engine = RapidOCR(
        params={
            "Global.use_cls": False,
            "Global.log_level": "error",
            "EngineConfig.openvino.inference_num_threads": os.cpu_count() or 1,
            "Det.engine_type": EngineType.OPENVINO,
            "Det.model_path": str(_models() / "PP-OCRv6_det_small.onnx"),
            "Det.limit_type": "max",
        }
    )
    return engine._load_det_model()  # noqa: SLF001 rapidocr has no public door to one of its models


def _models() -> Path:
    return Path(str(files("rapidocr"))) / "models"


def _find(picture: Picture) -> list[Floats]:
    """The corners of each line, (4, 2) from its top left clockwise."""
    detector = _detector()
    detector.limit_side_len = max(960, round(_SEARCH_SHARE * max(picture.shape[:2])))
    found = detector(picture).boxes
    return [] if found is None else [np.asarray(quad, dtype=np.float32) for quad in found]


def _lies_on(quad: Floats, covered: NDArray[np.bool_]) -> bool:
    (left, top), (right, bottom) = quad.min(axis=0).astype(int), quad.max(axis=0).astype(int)
    part = covered[top : bottom + 1, left : right + 1]
    return bool(part.size and part.mean() > 0.3)


def _size(quad: Floats) -> tuple[float, float]:
    width = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))
    height = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))
    return float(width), float(height)


def _turns(picture: Picture, quads: list[Floats]) -> int:
    """Quarter turns against the clock that make most of the lines read from left to right; tried on the longest of them."""
    sizes = [_size(quad) for quad in quads]
    down = sum(h for w, h in sizes if h >= _TALL * w)
    lies = down > sum(w for w, h in sizes if h < _TALL * w)
    longest = [quads[i] for i in sorted(range(len(quads)), key=lambda i: -max(sizes[i]))[:_SAMPLE]]
    best, turns = -1.0, 0
    for way in (1, 3) if lies else (0, 2):
        sample = [np.ascontiguousarray(np.rot90(_cut_out(picture, quad), way)) for quad in longest]
        score = float(np.mean([score for _, score, _ in _recogniser().read(sample)]))
        if score > best:
            best, turns = score, way
        if score > _READS_WELL:
            break
    return turns


def _cut_out(picture: Picture, quad: Floats) -> Picture:
    width, height = (max(1, round(side)) for side in _size(quad))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad, corners)
    cut: Picture = cv2.warpPerspective(  # type: ignore[assignment]
        picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return cut


def _recognise(picture: Picture, quads: list[Floats]) -> list[SeenLine]:
    tall = [h >= _TALL * w for w, h in map(_size, quads)]
    cuts = [
        np.ascontiguousarray(np.rot90(cut)) if is_tall else cut
        for cut, is_tall in zip((_cut_out(picture, quad) for quad in quads), tall, strict=True)
    ]
    lines = []
    for (text, score, middles), quad, is_tall in zip(_recogniser().read(cuts), quads, tall, strict=True):
        if text.strip():
            lines.append(SeenLine(text, _char_boxes(middles, quad, down=is_tall), score))
    return lines


def _char_boxes(middles: Floats, quad: Floats, *, down: bool) -> Floats:
    """The box of each character: from half way to the one before to half way to the next."""
    half = np.diff(middles) / 2
    usual = float(np.median(half)) if len(half) else 0.5
    edges = np.concatenate([[middles[0] - usual], middles[:-1] + half, [middles[-1] + usual]]).clip(0, 1)[:, None]
    near, far = (quad[0], quad[3]) if not down else (quad[0], quad[1])
    along = (quad[1] - quad[0]) if not down else (quad[3] - quad[0])
    corners = np.stack(
        [near + edges[:-1] * along, near + edges[1:] * along, far + edges[:-1] * along, far + edges[1:] * along]
    )
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)], axis=1).astype(np.float32)


def _back(boxes: Floats, turns: int, shape: tuple[int, ...]) -> Floats:
    """Boxes on a turned picture of this shape as boxes on the picture before it was turned."""
    height, width = shape[:2]
    left, top, right, bottom = boxes.T
    match turns:
        case 1:
            sides = [height - bottom, left, height - top, right]
        case 2:
            sides = [width - right, height - bottom, width - left, height - top]
        case 3:
            sides = [top, width - right, bottom, width - left]
        case _:
            return boxes
    return np.stack(sides, axis=1).astype(np.float32)
