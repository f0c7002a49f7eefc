"""What is in a prepared model's folder? The card that a conversion writes last and everything else reads first."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from xuesi.core.errors import Misconfigured

GRAPH = "model.xml"  # OpenVINO keeps the weights beside it, in model.bin
TOKENIZER = "tokenizer.json"
_CARD = "meta.json"


class Card(Protocol):
    """What every kind of card says; each is a dataclass with facts of its kind besides.

    Attributes:
        source: What the model was made from: a folder, a hub name, or a name of our own.
        source_stamp: State of the source folder at that time; empty where the source has no folder.
        format: Version of the folder's layout.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def source(self) -> str: ...  # noqa: D102 said above
    @property
    def source_stamp(self) -> str: ...  # noqa: D102
    @property
    def format(self) -> int: ...  # noqa: D102


C = TypeVar("C", bound=Card)


def write_card(card: Card, folder: Path) -> None:
    """Write the card into the folder."""
    (folder / _CARD).write_text(json.dumps(asdict(card), ensure_ascii=False, indent=2), encoding="utf-8")


def read_card(folder: Path, kind: Callable[..., C], *, layout: int, what: str) -> C | None:
    """Return the card of a prepared model, or None where there is none or an older program wrote it.

    Args:
        folder: The prepared model's.
        kind: The class of the card.
        layout: The `format` of this program.
        what: What the model is, for the error: "embedding model".

    Raises:
        Misconfigured: If the card is damaged.
    """
    path = folder / _CARD
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return kind(**facts) if facts["format"] == layout else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise Misconfigured(
            f"The prepared {what} in {folder} is damaged: {path.name} cannot be read.",
            hint="Delete this folder; it is made again at the next start.",
        ) from exc
