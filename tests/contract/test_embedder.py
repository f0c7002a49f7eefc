"""What must every embedder keep, whatever gives the vectors?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.embedders.llama_index import LlamaIndexEmbedder, XuesiEmbedding
from index.embedders.open import open_embedder
from index.embedders.openai_compatible import OpenAICompatibleEmbedder
from index.embedders.openvino_model import OpenVinoEmbedder
from tests.embedding_server import EmbeddingServer
from xuesi.core.domain import Span
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import Embedder, EmbedInput

TEXTS = [
    "主题教育读书班坚持学思用贯通、知信行统一，既坐下来读书，也走出去调研。",
    "调查研究要问需于基层，把发现的问题变成整改措施。",
    "Evaluation asks for both quantity and quality of the cases handled.",
    "The difficulty of building information systems lies in sharing; data silos still exist.",
    "学习",
    "第一条　为了规范办案工作，制定本办法。第二条　本办法适用于各级机关。" * 6,
]
INPUTS = [EmbedInput(text=text) for text in TEXTS]


@pytest.fixture(params=["embedded", "server", "llama_index"])
def subject(request: pytest.FixtureRequest, embedder: OpenVinoEmbedder) -> Iterator[Embedder]:
    if request.param == "embedded":
        yield embedder
    elif request.param == "llama_index":
        yield LlamaIndexEmbedder(XuesiEmbedding(embedder))
    else:
        with EmbeddingServer(embedder) as server:
            yield OpenAICompatibleEmbedder(model="test", base_url=server.url, batch=4)


def test_vectors_have_the_promised_shape_and_unit_norm(subject: Embedder) -> None:
    passages = subject.embed_passages(INPUTS).passages
    query = subject.embed_query("怎样开展调查研究？").vector
    assert passages.shape == (len(TEXTS), subject.dimension)
    assert query.shape == (subject.dimension,)
    assert passages.dtype == query.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)


def test_same_input_gives_the_same_vectors(subject: Embedder) -> None:
    np.testing.assert_array_equal(subject.embed_passages(INPUTS).passages, subject.embed_passages(INPUTS).passages)
    np.testing.assert_array_equal(subject.embed_query("学习").vector, subject.embed_query("学习").vector)


def test_a_vector_does_not_depend_on_its_batch_and_order_is_kept(subject: Embedder) -> None:
    together = subject.embed_passages(INPUTS * 7).passages
    alone = np.concatenate([subject.embed_passages([item]).passages for item in INPUTS])
    cosines = np.sum(together * np.tile(alone, (7, 1)), axis=1)
    assert cosines.min() >= 0.999
    assert ((together @ alone.T).argmax(axis=1) == np.tile(np.arange(len(TEXTS)), 7)).all()


def test_nothing_in_nothing_out(subject: Embedder) -> None:
    embedded = subject.embed_passages([])
    assert embedded.passages.shape == (0, subject.dimension)
    assert embedded.sentences == ()
    assert embedded.tokens is None
    assert subject.count_tokens([]) == []


@pytest.mark.parametrize("text", ["", " \n", "🙂👩‍👩‍👧", "</s><pad>", "\x00\ufffd", "学" * 20_000, "word " * 20_000])
def test_odd_texts_are_embedded_without_error(subject: Embedder, text: str) -> None:
    vectors = subject.embed_passages([INPUTS[0], EmbedInput(text=text), INPUTS[1]]).passages
    query = subject.embed_query(text).vector
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)


def test_sentence_and_token_vectors_are_complete_or_absent(subject: Embedder) -> None:
    text = "先读原文。再下基层🙂！Then write it down."
    spans = (Span(0, 5), Span(5, 11), Span(11, len(text)))
    embedded = subject.embed_passages([EmbedInput(text, spans), INPUTS[0]])
    asked = subject.embed_query(text).tokens
    assert len(embedded.sentences) == 2
    assert embedded.sentences[0].shape in ((3, subject.dimension), (0, subject.dimension))
    assert embedded.sentences[1].shape == (0, subject.dimension)
    assert (embedded.tokens is None) == (asked is None)
    if embedded.tokens is not None and asked is not None:
        first, second = embedded.tokens.of(0), embedded.tokens.of(1)
        assert len(first) == len(asked)
        assert first.shape[1] * 8 == second.shape[1] * 8 == asked.shape[1]
        np.testing.assert_allclose(np.linalg.norm(asked, axis=1), 1, atol=1e-5)


def test_token_counts_grow_with_the_text(subject: Embedder) -> None:
    counts = subject.count_tokens(["", "学习", "学习" * 50, "学习" * 5000])
    assert counts == sorted(set(counts))
    assert counts[2] < subject.max_tokens < counts[3]


def test_threads_do_not_disturb_each_other(subject: Embedder) -> None:
    alone = [subject.embed_query(text).vector for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: subject.embed_query(text).vector, TEXTS * 6))
    np.testing.assert_array_equal(np.array(together), np.array(alone * 6))


def test_batches_beside_each_other_and_beside_questions_do_not_disturb_each_other(embedder: OpenVinoEmbedder) -> None:
    inputs = INPUTS * 5  # more than one batch
    alone, asked = embedder.embed_passages(inputs).passages, embedder.embed_query(TEXTS[0]).vector
    with ThreadPoolExecutor(3) as pool:
        together = [pool.submit(embedder.embed_passages, inputs) for _ in range(2)]
        questions = list(pool.map(embedder.embed_query, [TEXTS[0]] * 6))
    for passages in together:
        np.testing.assert_array_equal(passages.result().passages, alone)
    for question in questions:
        np.testing.assert_array_equal(question.vector, asked)


def test_fingerprint_is_stable_and_not_empty(subject: Embedder) -> None:
    assert subject.fingerprint
    assert subject.fingerprint == subject.fingerprint.strip()


def test_any_embedding_of_llama_index_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_embeddings.py").write_text(
        "from llama_index.core.embeddings.mock_embed_model import MockEmbedding\n"
        "def four(): return MockEmbedding(embed_dim=4)\n"
        "def none(): return 4\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    opened = open_embedder(
        embedding_model="llama-index:own_embeddings:four", models_dir=tmp_path / "models", progress=print
    )
    assert opened.embed_passages(INPUTS).passages.shape == (len(TEXTS), 4)
    assert opened.fingerprint.startswith("llama-index")
    for name, reason in (
        ("own_embeddings:none", "gives a int"),
        ("own_embeddings:five", "five"),
        ("no_such_module:four", "no_such_module"),
        ("own_embeddings", "own_embeddings"),
    ):
        with pytest.raises(Misconfigured, match=reason):
            open_embedder(embedding_model=f"llama-index:{name}", models_dir=tmp_path / "models", progress=print)
