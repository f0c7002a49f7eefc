"""What does a model behind an OpenAI-compatible server write? LlamaIndex's `OpenAILike`: vLLM, Ollama, llama.cpp, hosted ones."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import openai
import openai.resources.chat  # openai loads it with the first answer, which would wait for it
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.llms.openai_like import OpenAILike

from xuesi.core.errors import ModelUnavailable
from xuesi.core.ports import Pieces, Trouble

# No answer needs more; a model that does not stop is stopped there by the server, or else by the time limit.
_MOST_TOKENS = 700
_LONGEST_WAIT_S = 10.0


class OpenAILikeGenerator:
    """A chat model behind `POST {base_url}/chat/completions`. Safe to call from several threads.

    Each answer has a connection of its own, closed when the answer is not read to its end: servers then stop writing. Nothing is tried twice: there is an
    answer without a model to fall back to, and who waits has waited already.

    Args:
        model: The model's name on the server.
        base_url: Address of the server, with `/v1`.
        api_key: Sent as bearer token, if given.
        silence_s: Longest wait for the first piece, and from one to the next.
        total_s: Longest time for all of an answer.
        parallel: Answers written at once; one more waits up to ten seconds for its turn.
    """

    def __init__(
        self, *, model: str, base_url: str, api_key: str | None, silence_s: float, total_s: float, parallel: int
    ) -> None:
        self._model = model
        self._url = base_url.rstrip("/")
        self._api_key = api_key
        self._silence_s = min(silence_s, total_s)
        self._total_s = total_s
        self._turns = threading.BoundedSemaphore(parallel)

    def write(self, instructions: str, request: str) -> Pieces:
        """What it writes, as `Generator.write` says."""
        if not self._turns.acquire(timeout=_LONGEST_WAIT_S):
            raise self._error(Trouble.BUSY, "is busy with other answers", "Ask again later, or raise llm_parallel.")
        try:
            with self._translated(), self._client() as client:
                yield from self._pieces(client, instructions, request)
        finally:
            self._turns.release()

    def _pieces(self, client: httpx.Client, instructions: str, request: str) -> Iterator[str]:
        model = OpenAILike(
            model=self._model,
            api_base=self._url,
            # Without a key of ours LlamaIndex would send the one that it finds in OPENAI_API_KEY, to whatever server this is.
            api_key=self._api_key or "none",
            is_chat_model=True,
            temperature=0.0,
            max_tokens=_MOST_TOKENS,
            max_retries=0,
            timeout=self._silence_s,
            http_client=client,
        )
        messages = [
            ChatMessage(role=MessageRole.SYSTEM, content=instructions),
            ChatMessage(role=MessageRole.USER, content=request),
        ]
        ended = ""
        for reply in model.stream_chat(messages):
            if reply.delta:
                yield reply.delta
            choices = getattr(reply.raw, "choices", None)
            ended = (choices and choices[0].finish_reason) or ended
        if ended == "length":
            raise self._error(Trouble.TOO_LONG, "did not come to an end", "")
        if not ended:
            raise self._error(Trouble.DISCONNECTED, "broke off", "See the server's own log.")

    def _client(self) -> httpx.Client:
        until = time.monotonic() + self._total_s

        def bound(response: httpx.Response) -> None:
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _Bounded(response.stream, until)

        return httpx.Client(timeout=self._silence_s, event_hooks={"response": [bound]})

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Every way in which it fails as ModelUnavailable: httpx raises while the stream is read, openai before, LlamaIndex where it pleases."""
        try:
            yield
        except ModelUnavailable:
            raise
        except Exception as exc:
            causes = [exc, *(c for c in (exc.__cause__, exc.__context__) if c)]
            if any(isinstance(cause, httpx.TimeoutException | openai.APITimeoutError) for cause in causes):
                raise self._error(
                    Trouble.TIMEOUT, "took too long", "Raise llm_timeout_s or model_timeout_s, or take a smaller model."
                ) from exc
            if isinstance(exc, openai.APIStatusError):
                hints = {
                    401: "Check llm_api_key.",
                    403: "Check llm_api_key.",
                    404: "Check llm_base_url (with /v1) and llm_model.",
                }
                hint = hints.get(exc.status_code, "See the server's own log.")
                raise self._error(
                    Trouble.REFUSED, f"answered {exc.status_code}: {str(exc.message)[:200]}", hint
                ) from exc
            if isinstance(exc, openai.APIConnectionError):
                raise self._error(
                    Trouble.UNREACHABLE,
                    f"cannot be reached: {exc.__cause__ or exc}",
                    "Check llm_base_url and that the server runs.",
                ) from exc
            if any(isinstance(cause, httpx.TransportError) for cause in causes):
                raise self._error(Trouble.DISCONNECTED, f"broke off: {exc}", "See the server's own log.") from exc
            raise self._error(
                Trouble.NONSENSE,
                f"sent what is no answer: {type(exc).__name__}: {exc}"[:300],
                "Is the address right, with /v1?",
            ) from exc

    def _error(self, reason: Trouble, what: str, hint: str) -> ModelUnavailable:
        return ModelUnavailable(f"The chat model {self._model} at {self._url} {what}.", hint=hint, reason=reason)


class _Bounded(httpx.SyncByteStream):
    """A response's bytes until a time: a server that sends something now and then, but never an answer, is not silent."""

    def __init__(self, stream: httpx.SyncByteStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("The time for the whole answer is over.")
            yield chunk

    def close(self) -> None:
        self._stream.close()
