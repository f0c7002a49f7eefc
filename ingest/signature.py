"""Is this text in the library already, the same or nearly? What a version's text is told by: a digest of its letters, and a MinHash.

MinHash: Broder 1997, doi:10.1109/SEQUEN.1997.666900, over runs of five letters or digits. The share of equal values in two signatures estimates the
Jaccard similarity of both texts' runs, with a standard error of about 0.04 for 128 values.
"""

import hashlib
import unicodedata

import numpy as np

from xuesi.core.ports import Signature

VALUES = 128
_RUN = 5
_AT_ONCE = 4096  # runs hashed together: datasketch holds VALUES numbers of 8 bytes for each
_MIX = np.uint64(0x9E3779B97F4A7C15)


def signature(text: str) -> Signature:
    """The signature of a text. White space, punctuation, width and case make no difference."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())
    from datasketch import MinHash  # noqa: PLC0415 brings parts of SciPy that take a second to load, and a server never needs them

    minhash = MinHash(num_perm=VALUES, seed=1, hashfunc=int)
    runs = _runs(letters)
    for start in range(0, len(runs), _AT_ONCE):
        minhash.update_batch(runs[start : start + _AT_ONCE].tolist())
    return Signature(hashlib.sha256(letters.encode()).hexdigest(), minhash.hashvalues.astype("<u4").tobytes())


def _runs(letters: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    """Each distinct run of five letters as a number of 32 bits; a shorter text is one run."""
    codes = np.frombuffer(letters.encode("utf-32-le"), np.uint32).astype(np.uint64)
    if len(codes) < _RUN:
        codes = np.pad(codes, (0, _RUN - len(codes)))
    mixed = np.zeros(len(codes) - _RUN + 1, np.uint64)
    for i in range(_RUN):
        mixed = (mixed ^ codes[i : i + len(mixed)]) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))
