"""Programs that some tests need and a machine may lack; where tests must be complete, under CI, the lack is a failure."""

import os

import pytest

from ingest.formats import soffice


def needs_libreoffice() -> None:
    """Skip the test that calls this where LibreOffice is missing."""
    if soffice() is None:
        if os.environ.get("CI"):
            pytest.fail("LibreOffice is missing: .ci/run installs it")
        pytest.skip("LibreOffice is not installed")
