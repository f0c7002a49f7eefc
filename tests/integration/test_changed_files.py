"""Does a file that was valid and is changed somewhere ever hang a reader, end in a traceback, or leave a document half there?

`pytest --hypothesis-profile=fuzz` tries many more; `python -m benchmarks.fuzz` goes on for as long as one likes.
"""

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.samples import MADE, samples
from benchmarks.fuzz.trial import Trial
from ingest.formats import soffice
from ingest.intake import Accepted
from tests.tools import needs_libreoffice
from tests.whole_path import open_whole_path
from xuesi.core import errors
from xuesi.core.domain import JobState, VersionState

EXAMPLES = settings().max_examples // 20  # each is a process of its own
CODES = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.XuesiError)}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """One process that forks the readers of all these tests."""
    one = Trial(tmp_path_factory.mktemp("trial"))
    yield one
    one.close()


@pytest.mark.parametrize("name", sorted(MADE))
@given(chance=st.randoms(use_true_random=False))
@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES < 10,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_changed_file_is_read_or_refused_in_words(trial: Trial, name: str, chance: Random) -> None:
    if name == "doc":
        needs_libreoffice()
    data = mutated(chance.choice(samples(name)), name, chance)
    outcome = trial.read(data, f"file.{name}")
    assert not outcome.failure, f"{outcome.failure}\n{outcome.log}"


def test_valid_files_of_every_format_go_live_and_changed_ones_go_live_whole_or_not_at_all(tmp_path: Path) -> None:
    documents = [
        name for name in MADE if name != "zip" and (name != "doc" or soffice())
    ]  # a ZIP holds some and is none
    with open_whole_path(tmp_path, page_timeout_s=60) as path:
        valid = [path.take(samples(name)[0], f"valid.{name}") for name in documents]
        changed = []
        for name in documents:
            chance = Random(zlib.crc32(name.encode()))
            for i in range(2):
                data = mutated(samples(name)[0], name, chance)
                with contextlib.suppress(errors.InvalidInput):  # refused at once
                    changed.append(path.take(data, f"changed{i}.{name}"))
        path.work()
        for taken in valid:
            assert isinstance(taken, Accepted)
            job, version = path.end(taken)
            assert (job.state, job.error_detail, version.state) == (JobState.DONE, "", VersionState.LIVE), (
                version.file_name
            )
        for taken in changed:
            if isinstance(taken, Accepted):
                job, version = path.end(taken)
                assert (job.state, version.state) in {
                    (JobState.DONE, VersionState.LIVE),
                    (JobState.FAILED, VersionState.FAILED),
                }
                assert job.state is JobState.DONE or (job.error_code in CODES and "Traceback" not in job.error_detail)
        assert [finding for finding in path.findings() if finding.severity == "error"] == []
        live = {it.id for it in path.library.catalogue.all_versions((VersionState.LIVE,))}
        indexed = {passage.id for version in live for passage in path.library.catalogue.passages(version)}
        assert set(path.library.indexes.vectors.ids()) == set(path.library.indexes.lexical.ids()) == indexed
