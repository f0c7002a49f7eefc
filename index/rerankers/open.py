"""Which reranker do the settings ask for?"""

from collections.abc import Callable
from pathlib import Path

from index.prepared.preparation import Kind, prepare
from index.rerankers.card import read_card
from xuesi.core.ports import Reranker

_KIND = Kind("reranker", conversion="index.rerankers.conversion", read_card=read_card, prefix="reranker-")


def open_reranker(*, rerank_model: str, models_dir: Path, progress: Callable[[str], None]) -> Reranker:
    """Open the reranker, preparing its model first where that has not been done.

    Args:
        rerank_model: A folder of a sentence-transformers CrossEncoder, or a hub name.
        models_dir: Folder of prepared models.
        progress: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: There is no such model, or it cannot be converted.
        DataFolderReadOnly: `models_dir` cannot be written.
        StorageFull: The disk is full.
    """
    folder = prepare(_KIND, rerank_model, models_dir=models_dir, progress=progress)
    from index.rerankers.openvino_model import OpenVinoReranker  # noqa: PLC0415  (not needed where none is set)

    return OpenVinoReranker(folder)
