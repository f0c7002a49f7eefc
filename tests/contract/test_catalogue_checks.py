"""What must a catalogue say of itself, and how does it mend what contradicts itself?"""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from index.catalogue.catalogue import SqlCatalogue, open_catalogue
from tests.library import NOW, add, publish, read
from xuesi.core.domain import JobState, VersionId, VersionState
from xuesi.core.errors import VersionNotFound
from xuesi.core.ports import Signature


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}") as opened:
        yield opened


def test_a_sound_catalogue_has_no_faults_and_mending_it_changes_nothing(catalogue: SqlCatalogue) -> None:
    (old, _, _), (new, _, _) = publish(catalogue), publish(catalogue)
    catalogue.update_document(old.id, {"superseded_by": new.id})
    rows = catalogue.rows(limit=10)
    assert catalogue.faults() == []
    catalogue.mend_faults()
    assert catalogue.rows(limit=10) == rows


def test_a_version_without_a_job_is_forgotten_unless_it_has_ended(catalogue: SqlCatalogue) -> None:
    _, version, job = add(catalogue)
    assert catalogue.forgotten() == []
    catalogue.claim_job(job.id, now=NOW, lease_until=NOW + timedelta(hours=1))
    assert catalogue.forgotten() == []
    catalogue.finish_job(job.id, state=JobState.DONE, now=NOW)
    assert [it.id for it in catalogue.forgotten()] == [version.id]
    for state in (VersionState.PUBLISHING, VersionState.LIVE, VersionState.FAILED):
        catalogue.set_version_state(version.id, state)
        assert catalogue.forgotten() == []


def test_the_texts_of_passages_are_written_again_under_their_ids(catalogue: SqlCatalogue) -> None:
    _, version, _ = add(catalogue)
    passages = read(catalogue, version)
    catalogue.put_texts(version.id, {1: "第0001段的文字在彼"})
    now = catalogue.passages(version.id)
    assert [it.id for it in now] == [it.id for it in passages]
    assert [it.text for it in now] == [passages[0].text, "第0001段的文字在彼", passages[2].text]
    with pytest.raises(VersionNotFound):
        catalogue.put_texts(VersionId("nobody"), {})


def test_the_sum_of_a_text_is_known_once_it_was_kept(catalogue: SqlCatalogue) -> None:
    _, version, _ = add(catalogue)
    assert catalogue.text_sha256(version.id) is None
    told = hashlib.sha256(b"text").hexdigest()
    catalogue.save_findings(version.id, text=Signature(told, bytes(512)), suggestions=())
    assert catalogue.text_sha256(version.id) == told
