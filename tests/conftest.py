"""What do many tests need? The embedded model, prepared once for all runs in the place where `make setup` puts it."""

from pathlib import Path

import pytest

from index.embedders.export import prepare_model
from index.embedders.openvino_model import OpenVinoEmbedder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Folder of the embedded model, prepared for OpenVINO."""
    return prepare_model(ROOT / "var" / "models", progress=print)


@pytest.fixture(scope="session")
def embedder(model_dir: Path) -> OpenVinoEmbedder:
    """The embedded model as the product runs it."""
    return OpenVinoEmbedder(model_dir)
