"""Does the randomisation test say what chance would do? Checked against all signs tried by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.significance import DRAWS, mark, paired

FIGURES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=7)


@given(FIGURES)
def test_p_is_the_share_of_signs_that_do_as_much(pairs: list[tuple[int, int]]) -> None:
    test = paired([a for a, _ in pairs], [b for _, b in pairs])
    apart = [abs(a - b) for a, b in pairs if a != b]
    told = abs(sum(a - b for a, b in pairs))
    drawn = [
        abs(sum(s * d for s, d in zip(signs, apart, strict=True))) for signs in product((1, -1), repeat=len(apart))
    ]
    assert test["p"] == pytest.approx(sum(it >= told for it in drawn) / len(drawn), abs=1e-3)
    assert test["draws"] == 0
    assert test["better"] + test["worse"] + test["same"] == len(pairs)
    assert test["difference"] == pytest.approx(sum(a - b for a, b in pairs) / len(pairs), abs=1e-4)


def test_many_questions_are_drawn_by_chance_and_repeat() -> None:
    chance = np.random.default_rng(1)
    theirs = chance.random(400)
    alike, better = theirs + chance.normal(0, 0.1, 400), theirs + 0.03 + chance.normal(0, 0.1, 400)
    assert paired(alike.tolist(), theirs.tolist()) == paired(alike.tolist(), theirs.tolist())
    assert paired(alike.tolist(), theirs.tolist())["p"] > 0.05
    sure = paired(better.tolist(), theirs.tolist())
    assert sure["draws"] == DRAWS
    assert 1 / (DRAWS + 1) < sure["p"] < 0.001
    assert paired(theirs.tolist(), better.tolist())["p"] == pytest.approx(sure["p"], abs=1e-3)


def test_marks_say_how_sure_and_who() -> None:
    assert mark({"p": 0.05, "difference": 0.3}) == ""
    assert mark({"p": 0.049, "difference": 0.3}) == "+*"
    assert mark({"p": 0.009, "difference": -0.3}) == "-**"


def test_nothing_differs_from_itself() -> None:
    assert paired([0.5, 1.0], [0.5, 1.0]) == {
        "difference": 0.0,
        "better": 0,
        "worse": 0,
        "same": 2,
        "p": 1.0,
        "draws": 0,
    }
