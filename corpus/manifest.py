"""Which documents are in the sample, and what is known of each? Reads manifest.toml."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One sample document: the built file, its source and the metadata given when it is added."""

    path: str
    source: str
    title: str
    kind: str
    issuer: str
    date: date
    topics: tuple[str, ...]
    language: str
    licence: str
    encoding: str = "utf-8"


def read_manifest(path: Path) -> list[Entry]:
    """Read the entries in the order of the file.

    Raises:
        TypeError: If an entry lacks a field or has one that is not known.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["document"]
    return [Entry(**{**table, "topics": tuple(table["topics"])}) for table in tables]
