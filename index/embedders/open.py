"""Which embedder do the settings ask for?"""

from collections.abc import Callable
from pathlib import Path

from index.embedders.export import prepare_model
from index.embedders.openai_compatible import OpenAICompatibleEmbedder
from xuesi.core.errors import Misconfigured
from xuesi.core.models import LLAMA_INDEX
from xuesi.core.ports import Embedder

_SERVER = "openai:"


def open_embedder(
    *,
    embedding_model: str,
    models_dir: Path,
    progress: Callable[[str], None],
    base_url: str = "",
    api_key: str | None = None,
    batch: int = 32,
    timeout_s: float = 60.0,
) -> Embedder:
    """Open the embedder, preparing its model first where that has not been done.

    Args:
        embedding_model: `embedded`, a sentence-transformers folder, a hub name, `openai:NAME` of a model server, or
            `llama-index:MODULE:NAME`, where NAME() in MODULE gives a LlamaIndex embedding.
        models_dir: Folder of prepared models.
        progress: Told what is being done, a sentence at a time.
        base_url: Address of the model server, with `/v1`.
        api_key: Key for the model server.
        batch: Texts in one request to the model server.
        timeout_s: Longest wait for an answer of the model server.

    Raises:
        Misconfigured: There is no such model, it cannot be converted, or the server's address is missing.
        ModelUnavailable: The model server does not answer.
    """
    if embedding_model.startswith(_SERVER):
        if not base_url:
            raise Misconfigured(
                f"embedding_model is {embedding_model!r}, but embedding_base_url is empty.",
                hint="Set embedding_base_url to the server's address, with /v1; xuesi reindex takes it as --base-url.",
            )
        model = embedding_model.removeprefix(_SERVER)
        return OpenAICompatibleEmbedder(
            model=model, base_url=base_url, api_key=api_key, batch=batch, timeout_s=timeout_s
        )
    if embedding_model.startswith(LLAMA_INDEX):
        from index.embedders.llama_index import named_embedder  # noqa: PLC0415  (takes a second)

        return named_embedder(embedding_model.removeprefix(LLAMA_INDEX))
    folder = prepare_model(models_dir, embedding_model=embedding_model, progress=progress)
    from index.embedders.openvino_model import OpenVinoEmbedder  # noqa: PLC0415  (not needed beside a model server)

    return OpenVinoEmbedder(folder)
