"""Does a chat model behind a server write as the port says, and does every way in which the server fails come as the error that says so?"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from answer.generators.openai_like import OpenAILikeGenerator
from tests.chat_server import ChatServer, Script, saying
from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Trouble

ASKED = ("只答一句。", "会议多久召开一次？")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


def generator(
    server: ChatServer, *, silence_s: float = 5.0, total_s: float = 10.0, **more: object
) -> OpenAILikeGenerator:
    known: dict[str, object] = {"api_key": None, "parallel": 2, "base_url": server.url}
    return OpenAILikeGenerator(model="m", silence_s=silence_s, total_s=total_s, **{**known, **more})  # type: ignore[arg-type]


def test_pieces_come_as_they_are_written(server: ChatServer) -> None:
    server.script = saying("每季度召开一次。[1]", size=2)
    pieces = list(generator(server).write(*ASKED))
    assert "".join(pieces) == "每季度召开一次。[1]"
    assert len(pieces) > 3


def test_the_request_is_that_of_the_protocol_and_bounded(server: ChatServer) -> None:
    server.script = saying("好。")
    list(generator(server, api_key="geheim").write(*ASKED))
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert [(m["role"], m["content"]) for m in request["messages"]] == [("system", ASKED[0]), ("user", ASKED[1])]
    assert (request["model"], request["stream"], request["temperature"]) == ("m", True, 0.0)
    assert 0 < request["max_tokens"] <= 1000
    assert server.authorizations == ["Bearer geheim"]


def test_no_key_of_somebody_else_is_sent(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    monkeypatch.setenv("OPENAI_API_BASE", "http://192.0.2.1/v1")
    server.script = saying("好。")
    list(generator(server).write(*ASKED))
    assert server.authorizations == ["Bearer none"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=500), Trouble.REFUSED),
        (Script(status=401), Trouble.REFUSED),
        (Script(body=b"data: {not json\n\n"), Trouble.NONSENSE),
        (Script(body=b"<html>a page</html>"), Trouble.DISCONNECTED),
        (saying("半句", breaks_off=True), Trouble.DISCONNECTED),
        (saying("半句", finish="length"), Trouble.TOO_LONG),
        (saying("太慢", wait_s=2.0), Trouble.TIMEOUT),
        (saying("太慢太慢太慢", size=1, pause_s=1.5), Trouble.TIMEOUT),
        (Script(comments=True, pause_s=0.05), Trouble.TIMEOUT),
        (Script(pieces=["啊"], forever=True, pause_s=0.05), Trouble.TIMEOUT),
    ],
)
def test_every_failure_says_what_it_is(server: ChatServer, script: Script, reason: Trouble) -> None:
    server.script = script
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match="chat model m") as raised:
        list(generator(server, silence_s=0.8, total_s=1.5).write(*ASKED))
    assert raised.value.facts["reason"] == reason
    assert time.monotonic() - started < 4


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with ChatServer() as gone:
        url = gone.url
    nobody = OpenAILikeGenerator(model="m", base_url=url, api_key=None, silence_s=2, total_s=4, parallel=1)
    with pytest.raises(ModelUnavailable) as raised:
        list(nobody.write(*ASKED))
    assert raised.value.facts["reason"] == Trouble.UNREACHABLE


def test_what_is_not_read_to_its_end_is_not_written_to_its_end(server: ChatServer) -> None:
    server.script = Script(pieces=["啊" * 1000], forever=True, pause_s=0.01)
    with closing(generator(server).write(*ASKED)) as pieces:
        next(pieces)
    assert server.gone.wait(3)
    assert server.sent < 100


def test_no_more_answers_are_written_at_once_than_allowed(server: ChatServer) -> None:
    server.script = saying("每季度召开一次。", size=1, pause_s=0.02)
    model = generator(server, parallel=2)
    threads = [threading.Thread(target=lambda: list(model.write(*ASKED))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.requests) == 5
    assert server.most == 2


def test_who_waits_too_long_for_a_turn_is_told_so(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("answer.generators.openai_like._LONGEST_WAIT_S", 0.1)
    server.script = saying("每季度召开一次。", size=1, pause_s=0.2)
    model = generator(server, parallel=1)
    with closing(model.write(*ASKED)) as first:
        next(first)
        with pytest.raises(ModelUnavailable) as raised:
            list(model.write(*ASKED))
    assert raised.value.facts["reason"] == Trouble.BUSY
    assert "".join(model.write(*ASKED)) == "每季度召开一次。"  # the turn came back
