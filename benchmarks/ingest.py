"""What does ingest of text files cost beside the embedding itself? The same texts go through the whole pipeline, and through the embedder alone.

    python -m benchmarks.ingest [--documents N]

Documents are the sample corpus' texts, their paragraphs dealt anew into as many files as asked for, of about three pages each.
"""

import argparse
import io
import random
import tempfile
import time
from pathlib import Path

from ingest.intake import Metadata
from ingest.worker import drain
from xuesi.core.domain import VersionState
from xuesi.core.ports import EmbedInput
from xuesi.core.settings import load_settings
from xuesi.core.text import in_context, sentences
from xuesi.services import Services
from xuesi.wiring import open_services

ROOT = Path(__file__).resolve().parents[1]
_PARAGRAPHS = 30


def documents(count: int) -> list[str]:
    """Texts of about three pages, the same on every call."""
    paragraphs = [
        line
        for path in sorted((ROOT / "corpus" / "sources").glob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if len(line) > 60
    ]
    deal = random.Random(0)
    return ["\n\n".join([f"材料之{number}", *deal.sample(paragraphs, _PARAGRAPHS)]) for number in range(count)]


def inputs_of(services: Services) -> list[EmbedInput]:
    """What the embedder was given for the live passages."""
    inputs = []
    for version in services.catalogue.all_versions((VersionState.LIVE,)):
        title = services.catalogue.document(version.document_id).title
        for passage in services.catalogue.passages(version.id):
            text, _ = in_context(title, passage.heading_path, passage.text)
            inputs.append(EmbedInput(text, tuple(sentences(text))))
    return inputs


def measure(count: int) -> dict[str, float]:
    """Seconds of the pipeline without publishing, of pure embedding of the same passages, their ratio, and seconds until all are live."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(ROOT / "var" / "models")
        settings = load_settings({"data_dir": folder})
        with open_services(settings) as services:
            for number, text in enumerate(documents(count)):
                services.intake.take(io.BytesIO(text.encode()), file_name=f"{number}.txt", metadata=Metadata())
            services.embedder.embed_passages([EmbedInput("开始")])  # opens the model, as a worker has it open
            started = time.perf_counter()
            drain(catalogue=services.catalogue, files=services.files, embedder=services.embedder, settings=settings)
            ingested = time.perf_counter() - started
            while services.catalogue.counts()["live_versions"] < count:
                time.sleep(0.02)
            live = time.perf_counter() - started
            inputs = inputs_of(services)
            started = time.perf_counter()
            services.embedder.embed_passages(inputs)
            embedded = time.perf_counter() - started
    return {
        "documents": count,
        "passages": len(inputs),
        "ingest_s": ingested,
        "embedding_s": embedded,
        "ingest_to_embedding": ingested / embedded,
        "all_live_s": live,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=40)
    for name, value in measure(parser.parse_args().documents).items():
        print(f"{name:>22}  {value:.2f}")


if __name__ == "__main__":
    main()
