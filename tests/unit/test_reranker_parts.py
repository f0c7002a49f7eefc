"""Do the small parts of the reranker keep their word?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from index.rerankers.openvino_model import _read, _sigmoid

_LETTERS = "abcdef"


def _tokenizer() -> Tokenizer:
    tokens = ["<s>", "</s>", "<unk>", *_LETTERS]
    tokenizer = Tokenizer(models.WordLevel({token: place for place, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return tokenizer


_WHOLE, _CUTTING = _tokenizer(), _tokenizer()


@given(st.text(_LETTERS, max_size=14), st.text(_LETTERS, max_size=14), st.integers(4, 16))
def test_a_pair_is_cut_as_tokenizers_cut_it(query: str, passage: str, limit: int) -> None:
    _CUTTING.enable_truncation(limit, strategy="longest_first")
    theirs = _CUTTING.encode(query, passage)
    ours = _read(_WHOLE.encode(query, passage), limit=limit)
    assert (ours.ids.tolist(), ours.types.tolist()) == (theirs.ids, theirs.type_ids)


def test_the_sigmoid_is_one_also_of_large_numbers() -> None:
    values = np.array([-1000, -2, 0, 2, 1000], np.float32)
    assert _sigmoid(values).tolist() == pytest.approx([0, 0.1192029, 0.5, 0.8807971, 1])
