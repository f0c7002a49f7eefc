"""Is the embedded model, as it runs, the model it was made from?"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embedders.openvino_model import OpenVinoEmbedder
from index.late import late_scores
from index.prepared.card import GRAPH
from index.prepared.streams import _compile
from tests.plain_sentence_transformers import ask
from xuesi.core.domain import Span
from xuesi.core.openvino_runtime import ov
from xuesi.core.ports import EmbedInput

ROOT = Path(__file__).parents[2]
PASSAGES = [
    "检察院组织干警到岳麓书院和公益诉讼检察基地参观学习，读书班坚持学思用贯通。",
    "案件质量主要评价指标是科学评价法律监督效果的指挥棒，要防止被数据所困、被考核所累。",
    "打破数据孤岛，把检察机关的大数据应用与外部执法司法大数据的共享结合起来。",
    "写调研报告先列提纲，摆出问题和数据，再写原因与对策，最后附访谈记录。",
    "The reading class combines study with field visits and invites professors to give guidance.",
    "Prosecutors should not be trapped by figures and burdened by assessment.",
    "Break data silos: combine the office's own data with those of other authorities.",
    "A research report starts with an outline, shows problems with figures, then causes and measures.",
    "备课时先确定听众和要讲清的一两个道理，再选案例，最后写出讲稿并试讲一遍。",
    "今天天气很好，公园里的花都开了。" * 30,
]
CHINESE, ENGLISH = [0, 1, 2, 3, 8, 9], [4, 5, 6, 7]
QUESTIONS = {  # question -> the right passage in Chinese, in English
    "怎样避免干部为考核所累？": (1, 5),
    "如何解决数据孤岛问题？": (2, 6),
    "调研报告怎么写？": (3, 7),
    "读书班请了谁来辅导？": (0, 4),
    "How are data silos broken?": (2, 6),
    "How does one write a research report?": (3, 7),
    "What happened at the reading class?": (0, 4),
}


def test_agrees_with_plain_sentence_transformers(embedder: OpenVinoEmbedder) -> None:
    texts = [*PASSAGES, *QUESTIONS, " ".join(PASSAGES), "ｆｕｌｌ－ｗｉｄｔｈ　①㈱½ ﬁ", "🙂", ""]
    (theirs,) = ask(texts=texts)
    ours = embedder.embed_passages([EmbedInput(text=text) for text in texts]).passages
    our_queries = np.array([embedder.embed_query(text).vector for text in texts])
    assert embedder.count_tokens(texts) == theirs["counts"]
    assert np.sum(ours * np.array(theirs["passages"]), axis=1).min() >= 0.99
    assert np.sum(our_queries * np.array(theirs["queries"]), axis=1).min() >= 0.99


def test_text_becomes_the_tokens_of_the_original_model(embedder: OpenVinoEmbedder) -> None:
    # 35378 and 8999 are the published ids of these words in the XLM-R vocabulary, which this model uses
    assert embedder._tokenizer.encode("Hello world").ids == [0, 35378, 8999, 2]


@pytest.mark.parametrize(("question", "right"), QUESTIONS.items())
def test_a_question_finds_its_passage_within_and_across_languages(
    embedder: OpenVinoEmbedder, question: str, right: tuple[int, int]
) -> None:
    passages = embedder.embed_passages([EmbedInput(text=text) for text in PASSAGES]).passages
    cosines = passages @ embedder.embed_query(question).vector
    assert CHINESE[cosines[CHINESE].argmax()] == right[0]
    assert ENGLISH[cosines[ENGLISH].argmax()] == right[1]


def test_sentence_vectors_tell_the_sentences_of_a_passage_apart(embedder: OpenVinoEmbedder) -> None:
    parts = [PASSAGES[1], PASSAGES[2], PASSAGES[8]]
    ends = np.cumsum([len(part) for part in parts]).tolist()
    spans = tuple(Span(end - len(part), end) for end, part in zip(ends, parts, strict=True))
    (sentences,) = embedder.embed_passages([EmbedInput("".join(parts), spans)]).sentences
    nearest = [
        int((sentences @ embedder.embed_query(question).vector).argmax())
        for question in ("什么是评价法律监督效果的指挥棒？", "怎样打破数据孤岛？", "怎样备课？")
    ]
    assert nearest == [0, 1, 2]


def test_the_model_is_called_the_same_on_every_machine(embedder: OpenVinoEmbedder) -> None:
    # a library that is restored elsewhere would be refused there, though its vectors fit
    assert embedder.fingerprint == "multilingual-e5-small-18839cb44f661e97"


def test_single_tokens_know_their_translation(embedder: OpenVinoEmbedder) -> None:
    passages = [
        "The group leader keeps the minutes.",
        "The city lies on a river.",
        "Data may be shared under common standards.",
    ]
    tokens, asked = (
        embedder.embed_passages([EmbedInput(it) for it in passages]).tokens,
        embedder.embed_query("数据共享"),
    )
    assert tokens is not None
    assert asked.tokens is not None
    assert late_scores(asked.tokens, [tokens.of(place) for place in range(3)]).argmax() == 2
    vectors = embedder.token_vectors(["数据共享"])
    assert len(vectors) == len(asked.tokens)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_sentences_beyond_the_cut_get_the_passages_vector(embedder: OpenVinoEmbedder) -> None:
    text = "研究问题。" * 1000
    embedded = embedder.embed_passages([EmbedInput(text, (Span(0, 5), Span(4990, 5000)))])
    np.testing.assert_allclose(embedded.sentences[0][1], embedded.passages[0], atol=1e-6)
    assert (embedded.sentences[0][0] != embedded.passages[0]).any()
    assert embedded.tokens is not None
    assert len(embedded.tokens.of(0)) <= embedder.max_tokens
    assert embedder.count_tokens([text])[0] > 1000


def test_the_compiled_model_computes_in_bfloat16_where_the_cpu_can(model_dir: Path) -> None:
    core = ov.Core()
    compiled = _compile(core.read_model(model_dir / GRAPH), streams=1, threads=1)
    fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert compiled.get_property("INFERENCE_PRECISION_HINT") == (ov.Type.bf16 if fast else ov.Type.f32)


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [(["FP32", "INT8", "BIN"], "f32"), (["FP32", "BF16", "INT8", "BIN"], "bf16"), (["FP32", "FP16"], "f32")],
)
def test_the_precision_follows_what_the_cpu_reports(
    monkeypatch: pytest.MonkeyPatch, capabilities: list[str], precision: str
) -> None:
    class Reporting:
        def get_property(self, device: str, name: str) -> list[str]:
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return capabilities

        def compile_model(self, _graph: object, device: str, settings: dict[str, str]) -> dict[str, str]:
            assert device == "CPU"
            return settings

    monkeypatch.setattr(ov, "Core", Reporting)
    settings: Any = _compile(None, streams=1, threads=1)
    assert settings["INFERENCE_PRECISION_HINT"] == precision


def test_two_first_inferences_at_once_do_not_wait_for_each_other() -> None:
    # The binding asks for NumPy's version while it holds its lock; an answer that takes long makes a meeting of the two certain.
    script = """
import threading, time, numpy.lib
class Slow(numpy.lib.NumpyVersion):
    def __init__(self, version):
        time.sleep(0.3)
        super().__init__(version)
numpy.lib.NumpyVersion = Slow
from xuesi.core.openvino_runtime import ov
threads = [threading.Thread(target=ov.Type.f32.to_dtype) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("both")
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert ended.stdout == "both\n", ended.stderr


def test_the_runtime_neither_loads_torch_nor_reports_its_use(model_dir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from index.embedders.openvino_model import OpenVinoEmbedder;"
        "OpenVinoEmbedder(Path(sys.argv[1])).embed_query('学习');"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)),"
        " [name for name in sys.modules if name.startswith('openvino_telemetry') and sys.modules[name]])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(model_dir)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.stdout.split("\n")[0] == "[] []"
