"""How does a fresh installation come to hold something? It takes in the sample corpus, once."""

import json
import tomllib
from pathlib import Path
from typing import Any

from xuesi.core.errors import Misconfigured
from xuesi.wiring import SAMPLE_FACT, Services


def take_sample(services: Services, manifest: Path) -> None:
    """Queue every document of the manifest, unless that was done before in this data folder.

    Raises:
        Misconfigured: If the manifest cannot be read.
    """
    from ingest.intake import Accepted, Metadata

    if services.catalogue.get_fact(SAMPLE_FACT) is not None:
        return
    try:
        entries = tomllib.loads(manifest.read_text(encoding="utf-8"))["document"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The sample corpus' manifest {manifest} cannot be read: {error}.") from error
    jobs: list[str] = []
    for entry in entries:
        path = manifest.parent / entry["path"]
        with path.open("rb") as source:
            taken = services.intake.take(
                source,
                file_name=path.name,
                metadata=Metadata.parse(_metadata(entry)),
            )
        if isinstance(taken, Accepted):
            jobs.append(taken.job.id)
    services.catalogue.set_fact(SAMPLE_FACT, json.dumps(jobs))


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    """The manifest's words for what the interface calls metadata."""
    given = {name: entry[name] for name in ("title", "kind", "issuer", "topics", "language")}
    return {**given, "published_on": entry["date"].isoformat()}
