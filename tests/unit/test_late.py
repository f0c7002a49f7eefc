"""Does late interaction give what its formula says, and do codes keep what they are made of?"""

import numpy as np
import pytest

from index.embedders.token_codes import BITS, TokenCoder, joined
from index.late import late_scores
from xuesi.core.ports import Bits, Floats


def _units(n: int, *, seed: int, dimension: int = 384) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _by_the_formula(question: Floats, codes: Bits) -> float:
    signs = np.where(np.unpackbits(codes, axis=1) == 1, 1.0, -1.0) / np.sqrt(question.shape[1])
    return float(np.mean([max(float(token @ row) for row in signs) for token in question]))


def test_each_token_of_the_question_takes_its_nearest() -> None:
    coder = TokenCoder(np.zeros(384, np.float32))
    question = coder.question(_units(7, seed=1))
    codes = [coder.codes(_units(n, seed=n)) for n in (3, 1, 40)]
    found = late_scores(question, codes)
    assert found.tolist() == pytest.approx([_by_the_formula(question, its) for its in codes], abs=1e-5)


def test_a_passage_without_tokens_scores_nothing_and_disturbs_nobody() -> None:
    coder = TokenCoder(np.zeros(384, np.float32))
    question, some, none = coder.question(_units(4, seed=1)), coder.codes(_units(9, seed=2)), np.empty((0, 0), np.uint8)
    alone = late_scores(question, [some])[0]
    for empty in (none, none.reshape(0, BITS // 8)):  # as stored, and as made
        assert late_scores(question, [some, empty, some]).tolist() == [alone, 0.0, alone]
    assert late_scores(question, []).tolist() == []
    assert late_scores(question[:0], [some]).tolist() == [0.0]


@pytest.mark.parametrize("dimension", [64, 384, 1024])
def test_codes_keep_which_vectors_are_near_each_other(dimension: int) -> None:
    mean = _units(1, seed=9, dimension=dimension)[0] * 2
    coder, own = TokenCoder(mean), _units(50, seed=3, dimension=dimension)
    codes = coder.codes(own + mean)
    assert codes.shape == (50, BITS // 8)
    asked = coder.question(own + 0.3 * _units(50, seed=4, dimension=dimension) + mean)
    assert [int(late_scores(row[None], [its[None] for its in codes]).argmax()) for row in asked] == list(range(50))


def test_codes_of_several_passages_are_found_again() -> None:
    parts = [np.full((n, 2), n, np.uint8) for n in (3, 0, 5)]
    together = joined(parts)
    for place, its in enumerate(parts):
        np.testing.assert_array_equal(together.of(place), its)


def test_planes_are_the_same_on_every_machine() -> None:
    # codes of one machine are compared with questions of another, after a restore: these bits may never change
    codes = TokenCoder(np.zeros(384, np.float32)).codes(np.eye(384, dtype=np.float32)[:4])
    assert codes[:, :4].tolist() == PLANES


PLANES = [[114, 57, 187, 23], [224, 241, 191, 218], [124, 33, 90, 89], [225, 93, 205, 36]]
