"""How does what was read come out of the process that read it? As text, JSON and an array in files, checked before anything is made of it.

Nothing is unpickled, and nothing is believed: a process that a hostile file has taken over could write anything here.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from ingest.apart.limits import Limits
from xuesi.core import errors
from xuesi.core.arrays import mapped
from xuesi.core.errors import ParserCrashed, TooMuchToRead, XuesiError
from xuesi.core.ports import Floats, Reading

OUTPUTS = ("said.json", "text.txt", "boxes.npy")
_MOST_WARNINGS, _LONGEST_WORDS = 1_000, 10_000

# Every field of Reading but the two large ones, whatever fields it will have.
_Facts: type[BaseModel] = create_model(  # type: ignore[call-overload]
    "_Facts",
    __config__=ConfigDict(extra="forbid"),
    **{name: (hint, ...) for name, hint in get_type_hints(Reading).items() if name not in ("text", "boxes")},
)


class _Said(BaseModel):
    """`reading`, or the error that stands for it."""

    model_config = ConfigDict(extra="forbid")
    reading: _Facts | None = None
    code: str = ""
    detail: str = ""
    hint: str = ""
    facts: dict[str, Any] = {}


def write_reading(reading: Reading, outputs: dict[str, BinaryIO]) -> None:
    """Write it. Raises OSError if it is larger than may be written."""
    outputs["text.txt"].write(reading.text.encode("utf-8"))
    if reading.boxes is not None:
        np.save(outputs["boxes.npy"], reading.boxes.astype(np.float32, copy=False), allow_pickle=False)
    facts = {f.name: getattr(reading, f.name) for f in fields(Reading) if f.name not in ("text", "boxes")}
    said = _Said(reading=_Facts.model_construct(**facts))
    outputs["said.json"].write(said.model_dump_json().encode())


def write_error(error: XuesiError, outputs: dict[str, BinaryIO]) -> None:
    """Write why there is no reading."""
    said = {"code": error.code, "detail": error.detail, "hint": error.hint, "facts": error.facts}
    outputs["said.json"].write(json.dumps(said).encode())


def read_error(folder: Path) -> XuesiError | None:
    """The error that a process wrote with `write_error`; None if it wrote nothing. Raises ParserCrashed if it is none."""
    try:
        data = (folder / "said.json").read_bytes()
        if not data:
            return None
        said = _Said.model_validate_json(data)
        return known_error(said.code, said.detail, said.hint, said.facts)
    except (ValidationError, ValueError, OSError, TypeError) as error:
        raise ParserCrashed(
            "What was said about the file does not hold together.", hint="Tell an administrator."
        ) from error


def read_back(folder: Path, limits: Limits) -> Reading:
    """The reading that lies in the folder.

    Raises:
        XuesiError: The error that lies there instead.
        TooMuchToRead: If it has more pages than are allowed.
        ParserCrashed: If what lies there is no reading.
    """
    try:
        said = _Said.model_validate_json((folder / "said.json").read_bytes())
        if said.reading is None:
            raise known_error(said.code, said.detail, said.hint, said.facts)
        facts = {name: getattr(said.reading, name) for name in type(said.reading).model_fields}
        reading = Reading(
            text=(folder / "text.txt").read_bytes().decode("utf-8"), boxes=_boxes(folder / "boxes.npy"), **facts
        )
        _check(reading)
    except (ValidationError, ValueError, OSError, TypeError) as error:
        raise ParserCrashed(
            "What was read from the file does not hold together.", hint="Tell an administrator."
        ) from error
    check_pages(len(reading.pages), limits)
    return reading


def check_pages(pages: int, limits: Limits) -> None:
    """Raises TooMuchToRead if these are too many."""
    if pages > limits.max_pages:
        raise TooMuchToRead(
            f"The file has {pages} pages; at most {limits.max_pages} are read (setting max_pages).",
            hint="Split the file, or raise the setting.",
            limit="pages",
        )


def _boxes(place: Path) -> Floats | None:
    if place.stat().st_size == 0:
        return None
    boxes: Floats = mapped(place)
    return boxes


def _check(reading: Reading) -> None:
    length = len(reading.text)
    if "\r" in reading.text or reading.text.startswith("\ufeff"):
        raise ValueError("the text is not canonical")
    end = 0
    for number, page in enumerate(reading.pages, start=1):
        if page.number != number or page.span.start != end:
            raise ValueError(f"page {page.number} does not follow")
        end = page.span.end
    if end != length or not reading.pages:
        raise ValueError("the pages do not cover the text")
    end = 0
    for block in reading.blocks:
        if block.span.start < end or block.span.end > length:
            raise ValueError("a block lies outside the text or another one")
        end = block.span.end
    if reading.boxes is not None and (reading.boxes.shape != (length, 4) or reading.boxes.dtype != np.float32):
        raise ValueError("the boxes are not those of the text")
    if any(not 1 <= entry.page <= len(reading.pages) or entry.level < 1 for entry in reading.outline):
        raise ValueError("a bookmark leads nowhere")
    words = [*reading.warnings, *reading.properties.values()]
    if len(words) > _MOST_WARNINGS or any(len(word) > _LONGEST_WORDS for word in words):
        raise ValueError("too many words about the text")


def known_error(code: str, detail: str, hint: str, facts: dict[str, Any]) -> XuesiError:
    """The error by its code; only those that reading a file can have. Raises ValueError for any other."""
    kinds = {
        kind.code: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.InvalidInput)
    }
    if code not in kinds:
        raise ValueError(f"no error {code!r}")
    return kinds[code](detail[:_LONGEST_WORDS], hint=hint[:_LONGEST_WORDS], **facts)
