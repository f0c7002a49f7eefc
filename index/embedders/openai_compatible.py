"""Which vectors does a model server give? Speaks the OpenAI embeddings protocol: vLLM, Ollama, TEI, llama.cpp, hosted ones."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from index.embedders.whole_text import WholeTextEmbedder
from xuesi.core.errors import ModelUnavailable

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class OpenAICompatibleEmbedder(WholeTextEmbedder):
    """A model behind `POST {base_url}/embeddings`. Gives passages' vectors only.

    Safe to call from several threads. A busy or failing server is asked up to four times with growing pauses; a
    silent one once, because waiting for it four times would hold up everything behind it.

    Args:
        model: The model's name on the server.
        base_url: Address of the server, with `/v1`.
        api_key: Sent as bearer token, if given.
        batch: Texts in one request.
        timeout_s: Longest wait for an answer.
        pause: Waits the seconds it is given.

    Raises:
        ModelUnavailable: The server does not answer, refuses, or answers nonsense.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str,
        api_key: str | None = None,
        batch: int = 32,
        timeout_s: float = 60.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = base_url.rstrip("/") + "/embeddings"
        self._timeout_s = timeout_s
        self._pause = pause
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_s)
        super().__init__(kind="openai", model=model, batch=batch)

    def _query_vector(self, text: str) -> list[float]:
        return self._vectors([text])[0]

    def _vectors(self, texts: list[str]) -> list[list[float]]:
        answer = self._post({"model": self._model, "input": texts, "encoding_format": "float"})
        try:
            entries = sorted(answer.json()["data"], key=lambda entry: int(entry["index"]))
            vectors = [entry["embedding"] for entry in entries]
        except (ValueError, TypeError, KeyError) as exc:
            raise self._error(
                "sent an answer that is no list of embeddings", "Is the address right, with /v1?"
            ) from exc
        if len(vectors) != len(texts):
            raise self._error(f"sent {len(vectors)} embeddings for {len(texts)} texts", "See the server's own log.")
        return vectors

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        for attempt in range(_ATTEMPTS):
            pause_s = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
            try:
                answer = self._client.post(self._url, json=body)
            except httpx.TimeoutException as exc:
                raise self._error(f"did not answer within {self._timeout_s:g} s", "Try again later.") from exc
            except (httpx.HTTPError, httpx.InvalidURL) as exc:
                trouble = self._error(f"cannot be reached: {exc}", "Check embedding_base_url and that the server runs.")
                if isinstance(exc, httpx.InvalidURL | httpx.UnsupportedProtocol) or attempt == _ATTEMPTS - 1:
                    raise trouble from exc
            else:
                if answer.is_success:
                    return answer
                trouble = self._refusal(answer)
                if answer.status_code not in _BUSY:
                    raise trouble
                pause_s = _wished_pause_s(answer) or pause_s
            if attempt < _ATTEMPTS - 1:
                self._pause(pause_s)
        raise trouble

    def _refusal(self, answer: httpx.Response) -> ModelUnavailable:
        hints = {
            401: "Check embedding_api_key.",
            403: "Check embedding_api_key.",
            404: "Check embedding_base_url (with /v1) and the model's name in embedding_model.",
        }
        hint = hints.get(answer.status_code, "Try again later, and see the server's own log.")
        return self._error(f"answered {answer.status_code}: {answer.text[:200]}", hint)

    def _error(self, what: str, hint: str) -> ModelUnavailable:
        return ModelUnavailable(f"The embedding server at {self._url} {what}.", hint=hint, model=self._model)


def _wished_pause_s(answer: httpx.Response) -> float | None:
    """The server's own wish (`Retry-After` in seconds), within reason."""
    wish = answer.headers.get("retry-after", "")
    return min(float(wish), _LONGEST_PAUSE_S) if wish.isdigit() else None
