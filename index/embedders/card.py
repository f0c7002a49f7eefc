"""What is known of a prepared embedding model?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.prepared.card import read_card as read_any

_FORMAT = 3  # raised when folders prepared by an older program must be prepared again

Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts about a prepared model.

    Attributes:
        source: What it was made from: `embedded`, a folder or a hub name.
        source_stamp: State of the source folder at that time; empty where the source has no folder.
        fingerprint: Names weights, tokenizer, prefixes, pooling and length limit; equal on every machine.
        dimension: Length of a vector.
        max_tokens: Longest input, prefix and special tokens included.
        pooling: How token vectors become the text's vector: their mean, or the first one.
        query_prefix: Stands before every question, with its space.
        passage_prefix: Stands before every passage, with its space.
        pad_id: Token id that fills short rows.
        format: Version of this layout.
    """

    source: str
    source_stamp: str
    fingerprint: str
    dimension: int
    max_tokens: int
    pooling: Pooling
    query_prefix: str
    passage_prefix: str
    pad_id: int
    format: int = _FORMAT


def read_card(folder: Path) -> ModelCard | None:
    """Return the card of a prepared model, or None where there is none or an older program wrote it.

    Raises:
        Misconfigured: If the card is damaged.
    """
    return read_any(folder, ModelCard, layout=_FORMAT, what="embedding model")
