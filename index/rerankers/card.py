"""What is known of a prepared reranker?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.prepared.card import read_card as read_any

_FORMAT = 1  # raised when folders prepared by an older program must be prepared again

Activation = Literal["sigmoid", "identity"]


@dataclass(frozen=True, slots=True)
class RerankerCard:
    """Facts about a prepared reranker. How it joins a pair stands in its tokenizer's file.

    Attributes:
        source: What it was made from: a folder or a hub name.
        source_stamp: State of the source folder at that time; empty where the source has no folder.
        max_tokens: Longest pair, special tokens included.
        activation: What turns the graph's output into the score.
        type_ids: Whether the graph is told which tokens are of the query and which of the passage.
        pad_id: Token id that fills short rows.
        pad_type_id: What fills the rows of `type_ids`.
        format: Version of this layout.
    """

    source: str
    source_stamp: str
    max_tokens: int
    activation: Activation
    type_ids: bool
    pad_id: int
    pad_type_id: int
    format: int = _FORMAT


def read_card(folder: Path) -> RerankerCard | None:
    """Return the card of a prepared reranker, or None where there is none or an older program wrote it.

    Raises:
        Misconfigured: If the card is damaged.
    """
    return read_any(folder, RerankerCard, layout=_FORMAT, what="reranker")
