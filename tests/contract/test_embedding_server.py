"""What happens when a model server misbehaves?"""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from index.embedders.open import open_embedder
from index.embedders.openai_compatible import OpenAICompatibleEmbedder
from index.embedders.openvino_model import OpenVinoEmbedder
from tests.embedding_server import EmbeddingServer, Reply
from xuesi.core.errors import Misconfigured, ModelUnavailable
from xuesi.core.ports import EmbedInput


@pytest.fixture
def server(embedder: OpenVinoEmbedder) -> Iterator[EmbeddingServer]:
    with EmbeddingServer(embedder) as server:
        yield server


class Client:
    """An opened embedder whose pauses are noted, not waited for."""

    def __init__(self, server: EmbeddingServer, *, timeout_s: float = 30.0) -> None:
        self.pauses_s: list[float] = []
        self.embedder = OpenAICompatibleEmbedder(
            model="m", base_url=server.url, api_key="secret", timeout_s=timeout_s, pause=self.pauses_s.append
        )


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again_with_growing_pauses(server: EmbeddingServer, status: int) -> None:
    client = Client(server)
    server.replies = [Reply(status=status, body=b"busy")] * 3
    assert client.embedder.embed_query("学习").vector.shape == (384,)
    assert client.pauses_s == [0.5, 1.0, 2.0]


def test_the_servers_own_wish_for_a_pause_is_granted_within_reason(server: EmbeddingServer) -> None:
    client = Client(server)
    server.replies = [Reply(status=429, body=b"", headers={"Retry-After": wish}) for wish in ("7", "86400", "soon")]
    client.embedder.embed_query("学习")
    assert client.pauses_s == [7.0, 30.0, 2.0]


def test_a_server_that_stays_broken_is_given_up(server: EmbeddingServer) -> None:
    client = Client(server)
    server.replies = [Reply(status=500, body=b"out of memory")] * 9
    with pytest.raises(ModelUnavailable, match="answered 500: out of memory"):
        client.embedder.embed_query("学习")
    assert len(server.replies) == 5


@pytest.mark.parametrize(("status", "hint"), [(401, "embedding_api_key"), (404, "embedding_base_url"), (400, "log")])
def test_a_refusal_is_final_and_says_what_to_check(server: EmbeddingServer, status: int, hint: str) -> None:
    client = Client(server)
    server.replies = [Reply(status=status, body=b"no")]
    with pytest.raises(ModelUnavailable) as caught:
        client.embedder.embed_query("学习")
    assert hint in caught.value.hint
    assert client.pauses_s == []


def _first_vector(value: Any) -> Any:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["embedding"] = value
        return body

    return change


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b'{"data": [{"index": 0, "embedd'),
        Reply(body=b"<html>It works!</html>"),
        Reply(body=b"[]"),
        Reply(body=b'{"data": null}'),
        Reply(body=json.dumps({"error": "no such model"}).encode()),
        Reply(change=lambda body: {"data": body["data"][:-1]}),
        Reply(change=lambda body: {"data": body["data"] * 2}),
        Reply(change=_first_vector([0.1, 0.2])),
        Reply(change=_first_vector([0.0] * 384)),
        Reply(change=_first_vector([float("nan")] * 384)),
        Reply(change=_first_vector("AAAA")),
    ],
    ids=["cut", "html", "list", "null", "error", "too few", "too many", "short", "zero", "nan", "text"],
)
def test_nonsense_is_no_answer(server: EmbeddingServer, reply: Reply) -> None:
    client = Client(server)
    server.replies = [reply]
    with pytest.raises(ModelUnavailable):
        client.embedder.embed_passages([EmbedInput(text="学习"), EmbedInput(text="调研")])


def test_no_vector_for_a_question_is_no_answer(server: EmbeddingServer) -> None:
    client = Client(server)
    server.replies = [Reply(change=lambda body: {"data": []})]
    with pytest.raises(ModelUnavailable, match="sent 0 embeddings for 1 texts"):
        client.embedder.embed_query("学习")


def test_a_server_that_hangs_is_left_after_the_timeout(server: EmbeddingServer) -> None:
    client = Client(server, timeout_s=0.3)
    release = threading.Event()
    server.replies = [Reply(wait_for=release)]
    with pytest.raises(ModelUnavailable, match=r"within 0\.3 s"):
        client.embedder.embed_query("学习")
    release.set()
    assert client.pauses_s == []


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as taken:  # bound but not listening: a connection is refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(ModelUnavailable, match=f"{url}/embeddings cannot be reached"):
            OpenAICompatibleEmbedder(model="m", base_url=url, pause=lambda _: None)


@pytest.mark.parametrize("url", ["127.0.0.1:8000/v1", "ftp://127.0.0.1/v1", "http://[::1/v1"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    pauses_s: list[float] = []
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        OpenAICompatibleEmbedder(model="m", base_url=url, pause=pauses_s.append)
    assert pauses_s == []


def test_requests_carry_model_key_and_at_most_a_batch(embedder: OpenVinoEmbedder, server: EmbeddingServer) -> None:
    client = OpenAICompatibleEmbedder(model="m", base_url=server.url + "/", api_key="secret", batch=2)
    client.embed_passages([EmbedInput(text=f"第{n}条") for n in range(5)])
    assert [len(body["input"]) for body in server.requests] == [1, 2, 2, 1]
    assert {body["model"] for body in server.requests} == {"m"}
    assert set(server.authorizations) == {"Bearer secret"}


def test_the_setting_names_the_server_and_needs_its_address(server: EmbeddingServer, tmp_path: Any) -> None:
    opened = open_embedder(
        embedding_model="openai:m", models_dir=tmp_path, base_url=server.url, api_key="k", progress=print
    )
    assert opened.fingerprint == "openai:m-384"
    with pytest.raises(Misconfigured, match="embedding_base_url is empty"):
        open_embedder(embedding_model="openai:m", models_dir=tmp_path, progress=print)
