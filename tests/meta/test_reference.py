"""The reference pages say what the program does."""

from pathlib import Path

import pytest

from docs.make import pages

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["settings.md", "errors.md", "http.md", "cli.md"])
def test_reference_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"
