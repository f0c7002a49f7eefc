"""Does a set reranker rank what is asked, is one that cannot be opened said at the start, and costs none nothing?"""

import json
import string
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from eval.build import build
from eval.dataset import Entry
from tests.api_library import BASE
from tests.plain_cross_encoder import ask
from xuesi.core.errors import Misconfigured
from xuesi.core.settings import Settings
from xuesi.wiring import open_services

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Path:
    """A data folder that holds the embedded model, prepared, and nothing else."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").mkdir()
    (folder / "models" / model_dir.name).symlink_to(model_dir)
    return folder


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    pairs = [["怎样调查研究", text] for text in ("调查研究要深入基层", "学习", "读书班整改情况", "整改要到位")]
    characters = string.printable + "调查研究学习读书班整改情况基层"
    ask(pairs=pairs, builds=[{"folder": str(folder), "kind": "bert", "characters": characters}])
    return folder


def test_a_set_reranker_ranks_what_is_asked_over_http(models: Path, cross_encoder: Path) -> None:
    texts = ["调查研究要深入基层。", "学习要入心。", "读书班整改情况。", "整改要到位。", "学习调查研究。"]
    corpus = [Entry(str(i), "", text) for i, text in enumerate(texts)]
    settings = Settings(data_dir=models, rerank_model=str(cross_encoder), rerank_candidates=3)
    with build(corpus, settings) as built, TestClient(create_app(built.services), base_url=BASE) as client:
        hits = client.post("/api/v1/search", json={"query": "怎样调查研究？"}).json()["hits"]
        answer = client.post("/api/v1/ask", json={"question": "怎样调查研究？"}).json()
    scored = [hit["explain"]["rerank"] for hit in hits[:3]]
    assert scored == sorted(scored, reverse=True)
    assert len(set(scored)) == 3
    assert [hit["explain"]["rerank_state"] for hit in hits] == [*["scored"] * 3, *["not_asked"] * 2]
    assert [hit["explain"]["rerank"] for hit in hits[3:]] == [None, None]
    assert min(hit["score"] for hit in hits[:3]) >= max(hit["score"] for hit in hits[3:])
    assert answer["status"] in {"answered", "not_in_material"}


def test_a_reranker_that_cannot_be_opened_is_said_at_the_start(models: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(models / "models")
    (tmp_path / "empty").mkdir()
    settings = Settings(data_dir=tmp_path, rerank_model=str(tmp_path / "empty"))
    with (
        pytest.raises(Misconfigured, match=r"The reranker .*empty' cannot be loaded") as caught,
        open_services(settings),
    ):
        pass
    assert "rerank_model" in caught.value.hint


def test_without_a_reranker_nothing_of_one_is_loaded(models: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(models / "models")
    code = (
        "import json, sys; from pathlib import Path\n"
        "from xuesi.core.settings import Settings; from xuesi.wiring import open_rerank_model, open_services\n"
        "settings = Settings(data_dir=Path(sys.argv[1]))\n"
        "with open_services(settings, standing=True) as services:\n"
        "    services.searcher.search('学习')\n"
        "    heavy = ('index.rerankers.openvino_model', 'index.rerankers.conversion', 'torch', 'sentence_transformers')\n"
        "    print(json.dumps([open_rerank_model(settings), [name for name in heavy if name in sys.modules]]))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(shown.stdout) == [None, []]
