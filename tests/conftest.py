"""What do many tests need? The embedded model, prepared once for all runs in the place where `make setup` puts it."""

from pathlib import Path

import pytest
from hypothesis import settings

from index.embedders.export import prepare_model
from index.embedders.openvino_model import OpenVinoEmbedder
from xuesi.launch import allow_many_files

ROOT = Path(__file__).parents[1]

allow_many_files()  # as the program does: some tests open several libraries

# For tests with Hypothesis: `pytest --hypothesis-profile=fuzz` draws other examples in every run, and many.
settings.register_profile("fuzz", deadline=None, max_examples=5_000)


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Folder of the embedded model, prepared for OpenVINO."""
    return prepare_model(ROOT / "var" / "models", progress=print)


@pytest.fixture(scope="session")
def embedder(model_dir: Path) -> OpenVinoEmbedder:
    """The embedded model as the product runs it."""
    return OpenVinoEmbedder(model_dir)
