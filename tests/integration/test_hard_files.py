"""Files that other projects found hard, on the whole path: what must be found is found by search, and what cannot be read says why.

They lie beside the checkout, with a list of what must come out; without them these tests are skipped.
"""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.intake import Accepted
from tests.whole_path import WholePath, open_whole_path
from xuesi.core.domain import JobState, PageHow, VersionState
from xuesi.core.errors import XuesiError

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "parsers"
LIST = FOLDER / "manifest.jsonl"
ENTRIES = [json.loads(line) for line in LIST.read_text(encoding="utf-8").splitlines()] if LIST.is_file() else []
pytestmark = [
    pytest.mark.skipif(not ENTRIES, reason="the shared material is not beside this checkout"),
    pytest.mark.timeout(900),  # pictures of pages take a while on a busy machine
]
# Where the text expected is that of another program.
CELLS_APART = {"unstructured__docx-tables.docx"}  # cells run together there, here a bar stands between them

Taken = dict[str, Accepted | XuesiError]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WholePath, Taken]]:
    """A library that was given all of them at once."""
    with open_whole_path(tmp_path_factory.mktemp("hard")) as path:
        taken: Taken = {}
        for entry in ENTRIES:
            told = {"password": entry["password"]} if entry.get("password") else {}
            taken[entry["path"]] = _taken(path, FOLDER / entry["path"], told)
            if told:
                taken[f"{entry['path']} locked"] = _taken(path, FOLDER / entry["path"], {"title": "no password"})
        path.work(refuse_same=False)
        yield path, taken


def _taken(path: WholePath, file: Path, told: dict[str, str]) -> Accepted | XuesiError:
    try:
        taken = path.take(file.read_bytes() + (b"\n" if "title" in told else b""), file.name, **told)
    except XuesiError as error:
        return error
    assert isinstance(taken, Accepted)
    return taken


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: Path(entry["path"]).name)
def test_a_hard_file_is_found_by_search_or_says_why_not(worked: tuple[WholePath, Taken], entry: dict[str, Any]) -> None:
    path, taken = worked
    one = taken[entry["path"]]
    may_fail = entry["expect"] in {"error", "warn"} or entry.get("or_error")
    if isinstance(one, XuesiError):
        assert may_fail
        assert one.detail.endswith(".")
        assert one.hint.endswith(".")
        return
    job, version = path.end(one)
    if job.state is JobState.FAILED:
        assert version.state is VersionState.FAILED
        assert may_fail, job.error_detail
        assert job.error_detail.endswith(".")
        return
    assert (job.state, version.state) == (JobState.DONE, VersionState.LIVE)
    assert entry["expect"] != "error" or entry.get("password")
    if entry["expect"] in {"ocr", "warn"}:
        report = path.library.catalogue.page_reports(version.id)
        assert all(page.how in {PageHow.OCR, PageHow.LEFT_OUT} for page in report)
    text = squeezed(path.library.files.text(version))
    for snippet in entry["snippets"] if Path(entry["path"]).name not in CELLS_APART else ():
        assert squeezed(snippet) in text
        hits = path.library.searcher.search(snippet, limit=10).hits
        assert version.id in {hit.passage.version_id for hit in hits}


@pytest.mark.parametrize(
    "entry", [it for it in ENTRIES if it.get("password")], ids=lambda entry: Path(entry["path"]).name
)
def test_a_locked_file_opens_with_its_password_only(worked: tuple[WholePath, Taken], entry: dict[str, Any]) -> None:
    path, taken = worked
    opened, locked = taken[entry["path"]], taken[f"{entry['path']} locked"]
    assert isinstance(opened, Accepted)
    assert path.end(opened)[1].state is VersionState.LIVE
    if isinstance(locked, Accepted):
        assert path.end(locked)[0].error_code == "encrypted-document"
    else:
        assert locked.code == "encrypted-document"


def test_nothing_is_wrong_with_the_library_afterwards(worked: tuple[WholePath, Taken]) -> None:
    assert [finding for finding in worked[0].findings() if finding.severity == "error"] == []
