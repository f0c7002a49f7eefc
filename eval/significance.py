"""Is the difference real? A paired randomisation test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import permutation_test

DRAWS = 10_000
_SEED = 0
_BATCH = 500  # draws at once, so that thousands of questions fit into memory


def paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Whether the mean of two rankings' figures for the same questions differs by more than chance.

    Under the null hypothesis it is chance which of a question's two figures is whose, so the signs of the differences are drawn at random
    (Fisher 1935; Smucker et al. 2007, doi:10.1145/1321440.1321528). Where all signs can be tried, they are, and p is exact.

    Args:
        ours: A figure for each question.
        theirs: The other ranking's, in the same order.

    Returns:
        `difference` (ours minus theirs, of the means), how many questions are `better`, `worse` and `same`, the two-sided `p`, (b + 1) / (m + 1) of m draws,
        and `draws`, 0 where p is exact. The seed is fixed: the same figures give the same p.
    """
    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    apart = differences[np.abs(differences) > 1e-9]  # the others add nothing whatever their sign
    exact = 2.0 ** len(apart) <= DRAWS
    return {
        "difference": round(float(differences.mean()), 4) if len(differences) else 0.0,
        "better": int((apart > 0).sum()),
        "worse": int((apart < 0).sum()),
        "same": len(differences) - len(apart),
        "p": _p(apart) if len(apart) > 1 else 1.0,  # one difference is as likely as its opposite
        "draws": 0 if exact else DRAWS,
    }


def mark(test: Mapping[str, Any]) -> str:
    """`**` for p < 0.01, `*` for p < 0.05, with `+` before it where ours is better and `-` where it is worse; nothing where it may be chance."""
    if test["p"] >= 0.05:
        return ""
    return ("+" if test["difference"] > 0 else "-") + ("**" if test["p"] < 0.01 else "*")


def _p(apart: Any) -> float:
    drawn = permutation_test(
        (apart,), np.sum, permutation_type="samples", vectorized=True, n_resamples=DRAWS, batch=_BATCH, rng=_SEED
    )
    return float(f"{drawn.pvalue:.3g}")
