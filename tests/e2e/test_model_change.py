"""Is the model changed under a running server, worker killed and all, while it answers every question right? By the program as processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

from index.embedders.openvino_model import OpenVinoEmbedder
from tests.e2e.conftest import Program, until
from tests.embedding_server import Body, EmbeddingServer

_GUARD_S = 240.0
_TEXTS = {
    "读书班": "主题教育读书班每期五天，由党委书记主持，采取集中学习和分组研讨相结合的方式进行。",
    "调研": "领导干部每人每年带队到基层开展调查研究不少于两个月，调研报告须附整改建议清单。",
    "台账": "整改问题实行台账管理，完成一项销号一项，每月十五日前由办公室汇总上报进展情况。",
    "党课": "党支部书记每季度至少讲一次专题党课，课后组织党员结合岗位实际交流心得体会。",
}
_QUESTIONS = {
    "读书班": "读书班每期办几天？",
    "调研": "干部每年下基层调查研究要多长时间？",
    "台账": "整改台账什么时候汇总上报？",
    "党课": "支部书记多久讲一次党课？",
}


class OtherModel(EmbeddingServer):
    """A model with vectors of another dimension and turned about: compared with those of the embedded model they are an error, or nonsense.

    The first document that is not the first one waits for `free`.
    """

    def __init__(self, embedder: OpenVinoEmbedder) -> None:
        super().__init__(embedder)
        self.change = _turned
        self.free = threading.Event()
        self.first = self.held = ""

    def answer(self, handler: BaseHTTPRequestHandler, request: Body) -> None:
        title = next((title for title in _TEXTS if request["input"][0].startswith(title)), "")
        self.first = self.first or title
        if title not in ("", self.first) and not self.free.is_set():
            self.held = title
            self.free.wait(_GUARD_S)
        super().answer(handler, request)

    def times_embedded(self) -> dict[str, int]:
        """How often the passages of each document were asked for."""
        texts = [text for request in self.requests for text in request["input"]]
        return {title: sum(text.startswith(f"{title}\n") for text in texts) for title in _TEXTS}


def _turned(body: Body) -> Body:
    for entry in body["data"]:
        entry["embedding"] = entry["embedding"][::-1] + [0.0] * 16
    return body


@contextmanager
def asked_all_the_time(url: str) -> Iterator[list[Any]]:
    """Ask without a pause; each answer must name the right document, and each hit's cosine be one of a single model. Yields what was answered."""
    told, wrong, over = list[Any](), list[Any](), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=_GUARD_S) as client:
            while not over.is_set():
                for title, question in _QUESTIONS.items():
                    found = client.post("/search", json={"query": question, "limit": 1})
                    answered = client.post("/ask", json={"question": question})
                    best = found.json()["hits"][0] if found.status_code == 200 else {}
                    cited = answered.json()["citations"][:1] if answered.status_code == 200 else []
                    right = best and best["passage"]["title"] == title and best["explain"]["dense"] > 0.7
                    if not right or not cited or cited[0]["title"] != title:
                        wrong.append((title, found.text, answered.text))
                    told.append(title)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
    assert wrong == []
    assert len(told) >= len(_QUESTIONS)


def test_the_model_is_changed_while_the_server_answers(
    program: Program, tmp_path: Path, embedder: OpenVinoEmbedder
) -> None:
    for title, text in _TEXTS.items():
        (tmp_path / f"{title}.txt").write_text(text, encoding="utf-8")
    files = [str(tmp_path / f"{title}.txt") for title in _TEXTS]
    with OtherModel(embedder) as models:
        arguments = ("reindex", "--model", "openai:other", "--base-url", models.url)
        with program.serving(XUESI_ANSWER_THRESHOLD="0") as url:
            assert program.run("add", *files).returncode == 0
            assert program.run("reindex", "--model", "/no/such/folder").returncode == 2
            with asked_all_the_time(url) as told:
                begun = program.run(*arguments)
                assert begun.returncode == 0, begun.stderr
                assert "next: openai:other" in begun.stdout
                until(lambda: models.held != "")
                assert _model(url)["next"]["done"] == 1
                program.worker().kill()
                models.free.set()
                waited = program.run(*arguments, "--wait")
                assert waited.returncode == 0, waited.stderr
                so_far = len(told)
                until(lambda: len(told) > so_far + 2 * len(_QUESTIONS))
            status = program.run("reindex", "--status").stdout
            assert status == "in force: openai:other  (openai:other-400)\n"
        assert models.times_embedded() == {title: 1 + (title == models.held) for title in _TEXTS}
        # Started again without a word about the model.
        with program.serving(XUESI_ANSWER_THRESHOLD="0") as url, asked_all_the_time(url):
            assert _model(url)["fingerprint"] == "openai:other-400"
            assert "of 4 versions" in program.run("reindex", "--drop-old").stdout
            back = program.run("reindex", "--model", "embedded", "--wait")
            assert back.returncode == 0, back.stderr
            assert _model(url)["model"] == "embedded"


def _model(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/api/v1/embedding-model", timeout=_GUARD_S).json()
    return found
