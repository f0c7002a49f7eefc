"""Is the embedding model ready to run? `OpenVinoEmbedder` opens what is prepared here."""

from collections.abc import Callable
from pathlib import Path

from index.embedders.card import read_card
from index.prepared.preparation import Kind, prepare

EMBEDDED = "embedded"
_KIND = Kind("embedding model", conversion="index.embedders.conversion", read_card=read_card, embedded=EMBEDDED)


def prepare_model(models_dir: Path, *, embedding_model: str = EMBEDDED, progress: Callable[[str], None]) -> Path:
    """Return the folder of the prepared model, preparing it first where that has not been done, as `prepare` says.

    Args:
        models_dir: Folder of all prepared models.
        embedding_model: `embedded`, a sentence-transformers folder, or a hub name.
        progress: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: The model is missing, damaged, or of a kind that cannot be converted.
        DataFolderReadOnly: `models_dir` cannot be written.
        StorageFull: The disk is full.
    """
    return prepare(_KIND, embedding_model, models_dir=models_dir, progress=progress)
