"""How does a fresh installation come to hold something? It takes in the sample corpus, once."""

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xuesi.core.errors import Misconfigured
from xuesi.services import SAMPLE_FACT, Services

if TYPE_CHECKING:
    from ingest.intake import Accepted, Duplicate


def take_sample(services: Services, manifest: Path) -> None:
    """Queue every document of the manifest, unless that was done before in this data folder. Interrupted, it goes on where it was.

    Raises:
        Misconfigured: If the manifest or a document of it cannot be read.
    """
    from ingest.intake import Accepted

    if services.catalogue.get_fact(SAMPLE_FACT) is not None:
        return
    jobs: list[str] = []
    try:
        for entry in tomllib.loads(manifest.read_text(encoding="utf-8"))["document"]:
            taken = _take(services, manifest.parent / entry["path"], entry)
            job = taken.job if isinstance(taken, Accepted) else services.catalogue.row(taken.document.id).job
            jobs += [job.id] if job else []
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The sample corpus of {manifest} cannot be read: {error}.") from error
    services.catalogue.set_fact(SAMPLE_FACT, json.dumps(jobs))


def _take(services: Services, path: Path, entry: dict[str, Any]) -> "Accepted | Duplicate":
    from ingest.intake import Metadata

    with path.open("rb") as source:
        return services.intake.take(source, file_name=path.name, metadata=Metadata.parse(_metadata(entry)))


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    """The manifest's words for what the interface calls metadata."""
    given = {name: entry[name] for name in ("title", "kind", "issuer", "topics", "language")}
    return {**given, "published_on": entry["date"].isoformat()}
