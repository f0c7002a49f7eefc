"""Which wording answers: replaced, superseded, as of a day, and does a hit that is no longer current say so?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.signature import signature
from tests.index_samples import Library, day, open_library
from xuesi.core.domain import (
    DocumentId,
    Filters,
    Job,
    JobId,
    JobKind,
    JobState,
    Successor,
    Version,
    VersionState,
)
from xuesi.core.ids import new_id


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path) as opened:
        yield opened


@pytest.fixture
def chain(library: Library) -> list[Version]:
    """Three regulations, each in the place of the one before."""
    made = [
        library.publish(f"办法{year}", [f"借阅期限以{year}年办法为准。"], published_on=day(f"{year}-03-01"))
        for year in (2019, 2021, 2023)
    ]
    for old, new in pairwise(made):
        _supersede(library, old, new)
    return made


def _supersede(library: Library, old: Version, new: Version | None) -> None:
    library.catalogue.update_document(old.document_id, {"superseded_by": new and new.document_id})


def _years(library: Library, **filters: object) -> list[str]:
    return sorted(text[5:9] for text in library.found("借阅期限", filters=Filters(**filters)))  # type: ignore[arg-type]


def _told(library: Library, query: str, **filters: object) -> list[tuple[str, bool, tuple[DocumentId, int] | None]]:
    hits = library.searcher.search(query, filters=Filters(**filters)).hits  # type: ignore[arg-type]
    return [(hit.document.title, hit.current, _place(hit.superseded_by)) for hit in hits]


def _place(successor: Successor | None) -> tuple[DocumentId, int] | None:
    return (successor.document_id, successor.version) if successor else None


def test_only_the_end_of_a_chain_answers_today_and_each_link_on_its_days(
    library: Library, chain: list[Version]
) -> None:
    assert _years(library) == ["2023"]
    for asked, expected in (
        ("2019-02-28", []),
        ("2020-01-01", ["2019"]),
        ("2021-02-28", ["2019"]),
        ("2021-03-01", ["2021"]),
        ("2024-01-01", ["2023"]),
    ):
        assert _years(library, as_of=day(asked)) == expected, asked


def test_a_hit_of_a_superseded_document_names_what_is_current(library: Library, chain: list[Version]) -> None:
    last = (chain[2].document_id, 1)
    assert _told(library, "借阅期限") == [("办法2023", True, None)]
    assert _told(library, "借阅期限", as_of=day("2020-01-01")) == [("办法2019", False, last)]
    assert _told(library, "借阅期限", as_of=day("2024-01-01")) == [("办法2023", True, None)]
    assert _told(library, "借阅期限", document_id=(chain[1].document_id,)) == [("办法2021", False, last)]


def test_a_hit_of_a_retired_version_names_the_live_one(library: Library) -> None:
    old = library.publish("规定", ["每月学习一次。"], published_on=day("2020-01-01"))
    assert old.live_from is not None
    library.publish("规定", ["每月学习两次。"], document_id=old.document_id)
    assert library.catalogue.version_by_id(old.id).state == VersionState.RETIRED
    assert library.found("每月学习") == ["每月学习两次。"]
    assert library.found("每月学习", filters=Filters(as_of=day("2021-01-01"))) == ["每月学习一次。"]
    assert _told(library, "每月学习", as_of=day("2021-01-01")) == [("规定", False, (old.document_id, 2))]
    assert _told(library, "每月学习", document_id=(old.document_id,)) == [("规定", True, None)]


def test_what_is_superseded_no_more_answers_again(library: Library, chain: list[Version]) -> None:
    _supersede(library, chain[1], None)
    assert _years(library) == ["2021", "2023"]
    assert _told(library, "借阅期限", document_id=(chain[0].document_id,)) == [
        ("办法2019", False, (chain[1].document_id, 1))
    ]
    _supersede(library, chain[0], None)
    assert _years(library) == ["2019", "2021", "2023"]
    assert {current for _, current, _ in _told(library, "借阅期限", document_id=(chain[0].document_id,))} == {True}


def test_the_middle_of_a_chain_can_be_removed_and_restored_and_the_first_does_not_come_back(
    library: Library, chain: list[Version]
) -> None:
    at = datetime.now(UTC)
    library.catalogue.delete_document(chain[1].document_id, at=at, purge_after=at + timedelta(days=7))
    library.publisher.step()
    assert _years(library) == ["2023"]
    assert _years(library, as_of=day("2022-01-01")) == ["2019"]
    last = (chain[2].document_id, 1)
    assert _told(library, "借阅期限", document_id=(chain[0].document_id,)) == [("办法2019", False, last)]

    library.catalogue.restore_document(chain[1].document_id, at=at)
    library.publisher.step()
    assert _years(library) == ["2023"]
    assert _years(library, as_of=day("2022-01-01")) == ["2021"]
    assert _years(library, as_of=day("2020-01-01")) == ["2019"]


def test_a_purge_in_the_middle_of_a_chain_joins_its_ends(library: Library, chain: list[Version]) -> None:
    at = datetime.now(UTC)
    library.catalogue.delete_document(chain[1].document_id, at=at, purge_after=at)
    library.publisher.step()
    assert library.catalogue.deleted() == []
    assert library.catalogue.document(chain[0].document_id).superseded_by == chain[2].document_id
    assert _years(library) == ["2023"]
    assert _years(library, as_of=day("2022-01-01")) == ["2019"]


@pytest.mark.parametrize("state", [VersionState.FAILED, VersionState.CANCELLED, VersionState.READING])
def test_a_successor_that_is_not_live_hides_nothing_and_the_one_after_it_does(
    library: Library, chain: list[Version], state: VersionState
) -> None:
    library.catalogue.set_version_state(chain[2].id, state)
    assert _years(library) == ["2021"]
    library.catalogue.set_version_state(chain[1].id, state)
    assert _years(library) == ["2019"]
    assert _told(library, "借阅期限") == [("办法2019", True, None)]
    library.catalogue.set_version_state(chain[2].id, VersionState.LIVE)
    assert _years(library) == ["2023"]
    last = (chain[2].document_id, 1)
    assert _told(library, "借阅期限", document_id=(chain[0].document_id,)) == [("办法2019", False, last)]


def test_on_a_day_before_the_middle_of_a_chain_was_in_force_a_later_link_hides_the_first(library: Library) -> None:
    days = {"2019": "2019-03-01", "2025": "2025-03-01", "2023": "2023-03-01"}  # the middle link is the latest
    made = [library.publish(f"办法{y}", [f"借阅期限以{y}年办法为准。"], effective_on=day(d)) for y, d in days.items()]
    for old, new in pairwise(made):
        _supersede(library, old, new)
    assert _years(library, as_of=day("2022-01-01")) == ["2019"]
    assert _years(library, as_of=day("2024-01-01")) == ["2023"]
    assert _years(library, as_of=day("2026-01-01")) == ["2023"]


def test_a_long_chain_leads_to_its_end(library: Library) -> None:
    made = [library.publish(f"办法{y}", [f"借阅期限以{y}年办法为准。"]) for y in range(2019, 2025)]
    for old, new in pairwise(made):
        _supersede(library, old, new)
    assert _years(library) == ["2024"]
    told = library.catalogue.outdated([made[0].id])[made[0].id]
    assert told == Successor(made[-1].document_id, "办法2024", 1)


def test_merged_into_another_document_a_link_keeps_its_chain(library: Library, chain: list[Version]) -> None:
    """办法2021 becomes the newest version of 办法2019, which it superseded; 办法2023 still stands in the place of both."""
    _pair(library, chain[1], chain[0])
    library.catalogue.merge(chain[1].document_id, chain[0].document_id, now=datetime.now(UTC), work=_work(chain[1]))
    assert library.catalogue.document(chain[0].document_id).superseded_by == chain[2].document_id
    assert _years(library) == ["2023"]


def test_what_a_merged_document_superseded_stays_hidden(library: Library, chain: list[Version]) -> None:
    other = library.publish("另一份", ["借阅期限另行规定。"])
    _pair(library, chain[2], other)
    library.catalogue.merge(chain[2].document_id, other.document_id, now=datetime.now(UTC), work=_work(chain[2]))
    assert library.catalogue.document(chain[1].document_id).superseded_by == other.document_id
    assert library.catalogue.document(other.document_id).superseded_by is None
    library.publisher.step()
    assert _years(library) == ["2023"]


def _pair(library: Library, later: Version, earlier: Version) -> None:
    """Have the two offered as nearly the same."""
    same = signature("借阅期限以本办法为准。" * 30)
    for version in (earlier, later):
        library.catalogue.save_findings(version.id, text=same, suggestions=(), refuse_same=False)


def _work(version: Version) -> Job:
    now = datetime.now(UTC)
    return Job(JobId(new_id()), JobKind.EMBED, version.document_id, version.id, JobState.QUEUED, now, now)


def test_when_the_end_of_a_chain_is_removed_the_one_before_answers(library: Library, chain: list[Version]) -> None:
    library.catalogue.delete_document(chain[2].document_id, at=datetime.now(UTC))
    assert _years(library) == ["2021"]
    assert _told(library, "借阅期限") == [("办法2021", True, None)]
    assert _told(library, "借阅期限", document_id=(chain[0].document_id,)) == [
        ("办法2019", False, (chain[1].document_id, 1))
    ]
