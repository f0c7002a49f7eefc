"""What may be shown, under which filters, and on which day?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from index.catalogue import SqlCatalogue, open_catalogue
from tests.library import NOW, add, publish, read, replace_file
from xuesi.core.domain import NO_FILTERS, Document, Filters, JobState, Kind, Passage, PassageId, VersionState


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}") as opened:
        yield opened


def shown(catalogue: SqlCatalogue, passages: list[Passage], filters: Filters = NO_FILTERS) -> set[str]:
    """Versions of the passages that may be shown; `live`, `matching` and `extent` must agree about their versions."""
    found = catalogue.live([p.id for p in passages], filters)
    assert catalogue.live_ids([p.id for p in passages], filters) == found.keys()
    assert {key: it.passage for key, it in found.items()} == {p.id: p for p in passages if p.id in found}
    matching = catalogue.matching(filters)
    own = {p.version_id for p in passages}
    assert {it.version.id: it.version for it in found.values()} == {v.id: v for v in matching if v.id in own}
    assert catalogue.extent(filters) == (len(matching), sum(v.passages for v in matching))
    for it in found.values():
        assert it.document == catalogue.document(it.version.document_id)
    return {p.version_id for p in passages if p.id in found}


def test_live_is_shown_and_nothing_else(catalogue: SqlCatalogue) -> None:
    document, version, passages = publish(catalogue)
    _, queued, _ = add(catalogue)
    waiting = read(catalogue, queued)
    _, bad, job = add(catalogue)
    failed = read(catalogue, bad)
    catalogue.finish_job(job.id, state=JobState.FAILED, now=NOW)
    assert shown(catalogue, [*passages, *waiting, *failed]) == {version.id}
    newer, more = replace_file(catalogue, document, at=NOW + timedelta(1))
    assert shown(catalogue, [*passages, *more]) == {newer.id}
    catalogue.delete_document(document.id, at=NOW)
    assert shown(catalogue, [*passages, *more]) == set()


def test_ids_that_are_unknown_or_many_are_no_trouble(catalogue: SqlCatalogue) -> None:
    _, _, passages = publish(catalogue)
    unknown = [PassageId(f"unknown-{i}") for i in range(2500)]
    found = catalogue.live([*unknown[:1700], *(p.id for p in passages), *unknown[1700:]], NO_FILTERS)
    assert found.keys() == {p.id for p in passages}
    assert catalogue.live([], NO_FILTERS) == {}
    assert catalogue.live_ids([], NO_FILTERS) == set()


def test_passages_are_found_by_version_and_ordinal(catalogue: SqlCatalogue) -> None:
    _, version, passages = publish(catalogue)
    _, other, _ = publish(catalogue)
    asked = [(version.id, 1), (version.id, 2), (version.id, 99)]
    assert catalogue.passages_at(asked) == {(version.id, 1): passages[1].id, (version.id, 2): passages[2].id}
    assert len(catalogue.passages_at([(v, i) for v in (version.id, other.id) for i in range(2000)])) == 6


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({}, "甲乙丙"),
        ({"kind": ("lecture",)}, "乙"),
        ({"kind": ("lecture", "study_text")}, "甲乙"),
        ({"kind": ("no such kind",)}, ""),
        ({"issuer": ("宣传部",)}, "甲丙"),
        ({"topic": ("调研",)}, "甲乙"),
        ({"topic": ("调研", "读书")}, "甲乙丙"),
        ({"topic": ("调",)}, ""),
        ({"published_from": date(2020, 5, 1)}, "甲乙"),
        ({"published_to": date(2020, 5, 1)}, "甲"),
        ({"published_from": date(2020, 5, 2), "published_to": date(2021, 1, 1)}, "乙"),
        ({"published_from": date(2021, 1, 2)}, ""),
        ({"kind": ("study_text",), "topic": ("调研",), "issuer": ("宣传部",)}, "甲"),
    ],
)
def test_filters_are_any_of_and_dates_inclusive(catalogue: SqlCatalogue, filters: dict[str, Any], titles: str) -> None:
    told: dict[str, dict[str, Any]] = {
        "甲": {
            "kind": Kind.STUDY_TEXT,
            "issuer": "宣传部",
            "topics": ("调研", "作风"),
            "published_on": date(2020, 5, 1),
        },
        "乙": {"kind": Kind.LECTURE, "issuer": "组织部", "topics": ("调研",), "published_on": date(2021, 1, 1)},
        "丙": {"kind": Kind.NEWS, "issuer": "宣传部", "topics": ("读书",)},
    }
    added = {title: publish(catalogue, title=title, **fields) for title, fields in told.items()}
    every = [p for _, _, passages in added.values() for p in passages]
    assert shown(catalogue, every, Filters(**filters)) == {added[title][1].id for title in titles}


def test_the_filter_by_document(catalogue: SqlCatalogue) -> None:
    (first, version, passages), (_, _, others) = publish(catalogue), publish(catalogue)
    assert shown(catalogue, [*passages, *others], Filters(document_id=(first.id, "nobody"))) == {version.id}


def test_a_superseded_document_is_hidden_while_its_successor_is_live(catalogue: SqlCatalogue) -> None:
    old, version, passages = publish(catalogue)
    successor, queued, _ = add(catalogue)
    catalogue.update_document(old.id, {"superseded_by": successor.id})
    assert shown(catalogue, passages) == {version.id}
    newer = read(catalogue, queued)
    catalogue.make_live(queued.id, at=NOW)
    assert shown(catalogue, [*passages, *newer]) == {queued.id}
    catalogue.delete_document(successor.id, at=NOW)
    assert shown(catalogue, [*passages, *newer]) == {version.id}


# The first version was added on 10 March 2026, the second went live on 20 March, the third on 30 March.
ADDED, SECOND, THIRD = (datetime(2026, 3, day, 15, 30, tzinfo=UTC) for day in (10, 20, 30))


def three_versions(catalogue: SqlCatalogue, **fields: Any) -> tuple[Document, list[Passage], dict[str, int]]:
    document, first, passages = publish(catalogue, at=ADDED, **fields)
    second, two = replace_file(catalogue, document, at=SECOND)
    third, three = replace_file(catalogue, document, at=THIRD)
    return document, [*passages, *two, *three], {first.id: 1, second.id: 2, third.id: 3}


@pytest.mark.parametrize(
    ("fields", "day", "number"),
    [
        ({}, "2026-03-09", None),
        ({}, "2026-03-10", 1),
        ({}, "2026-03-19", 1),
        ({}, "2026-03-20", 2),
        ({}, "2026-03-29", 2),
        ({}, "2026-03-30", 3),
        ({}, "2099-01-01", 3),
        ({"published_on": date(2023, 4, 3)}, "2023-04-02", None),
        ({"published_on": date(2023, 4, 3)}, "2023-04-03", 1),
        ({"published_on": date(2023, 4, 3)}, "2026-03-25", 2),
        ({"published_on": date(2023, 4, 3), "effective_on": date(2023, 5, 1)}, "2023-04-30", None),
        ({"published_on": date(2023, 4, 3), "effective_on": date(2023, 5, 1)}, "2023-05-01", 1),
        ({"published_on": date(2023, 4, 3), "effective_on": date(2023, 5, 1)}, "2026-03-31", 3),
        ({"published_on": date(2026, 3, 12)}, "2026-03-11", None),
        ({"effective_on": date(2023, 1, 1), "published_on": date(2023, 4, 3)}, "2023-02-01", 1),
    ],
)
def test_the_version_in_force_on_a_day(
    catalogue: SqlCatalogue, fields: dict[str, Any], day: str, number: int | None
) -> None:
    _, passages, numbers = three_versions(catalogue, **fields)
    found = shown(catalogue, passages, Filters(as_of=date.fromisoformat(day)))
    assert {numbers[v] for v in found} == ({number} if number else set())


def test_on_a_day_with_two_replacements_the_last_is_in_force(catalogue: SqlCatalogue) -> None:
    document, _, first = publish(catalogue, at=ADDED)
    _, second = replace_file(catalogue, document, at=SECOND)
    third, last = replace_file(catalogue, document, at=SECOND + timedelta(hours=1))
    assert shown(catalogue, [*first, *second, *last], Filters(as_of=SECOND.date())) == {third.id}


def test_a_day_ends_at_midnight_in_utc(catalogue: SqlCatalogue) -> None:
    midnight = datetime(2026, 3, 20, tzinfo=UTC)
    document, first, one = publish(catalogue, at=ADDED)
    second, two = replace_file(catalogue, document, at=midnight)
    assert shown(catalogue, [*one, *two], Filters(as_of=date(2026, 3, 19))) == {first.id}
    assert shown(catalogue, [*one, *two], Filters(as_of=date(2026, 3, 20))) == {second.id}


def test_where_the_first_file_failed_the_first_that_went_live_counts_from_the_documents_date(
    catalogue: SqlCatalogue,
) -> None:
    document, _, job = add(catalogue, created_at=ADDED, effective_on=date(2023, 5, 1))
    catalogue.finish_job(job.id, state=JobState.FAILED, now=ADDED)
    second, passages = replace_file(catalogue, document, at=SECOND)
    assert shown(catalogue, passages, Filters(as_of=date(2023, 5, 1))) == {second.id}
    assert shown(catalogue, passages, Filters(as_of=date(2023, 4, 30))) == set()


@pytest.mark.parametrize("state", [VersionState.FAILED, VersionState.PUBLISHING, VersionState.CANCELLED])
def test_what_never_went_live_was_never_in_force(catalogue: SqlCatalogue, state: VersionState) -> None:
    _, version, _ = add(catalogue, created_at=ADDED)
    passages = read(catalogue, version)
    catalogue.set_version_state(version.id, state)
    assert shown(catalogue, passages, Filters(as_of=date(2026, 4, 1))) == set()


@pytest.mark.parametrize(
    ("day", "which"), [("2020-06-01", "old"), ("2023-04-30", "old"), ("2023-05-01", "new"), ("2026-06-01", "new")]
)
def test_a_superseded_document_is_in_force_until_its_successor_is(
    catalogue: SqlCatalogue, day: str, which: str
) -> None:
    old, one, passages = publish(catalogue, at=ADDED, effective_on=date(2020, 1, 1))
    new, two, more = publish(catalogue, at=SECOND, effective_on=date(2023, 5, 1))
    catalogue.update_document(old.id, {"superseded_by": new.id})
    expected = {"old": one.id, "new": two.id}[which]
    assert shown(catalogue, [*passages, *more], Filters(as_of=date.fromisoformat(day))) == {expected}


def test_a_deleted_document_was_never_in_force_and_supersedes_nothing(catalogue: SqlCatalogue) -> None:
    old, one, passages = publish(catalogue, at=ADDED)
    new, _, more = publish(catalogue, at=ADDED)
    catalogue.update_document(old.id, {"superseded_by": new.id})
    catalogue.delete_document(new.id, at=THIRD)
    assert shown(catalogue, [*passages, *more], Filters(as_of=date(2026, 3, 15))) == {one.id}


def test_filters_hold_on_a_day_too(catalogue: SqlCatalogue) -> None:
    _, passages, numbers = three_versions(catalogue, topics=("调研",))
    day = date(2026, 3, 25)
    assert {numbers[v] for v in shown(catalogue, passages, Filters(as_of=day, topic=("调研",)))} == {2}
    assert shown(catalogue, passages, Filters(as_of=day, topic=("读书",))) == set()


def titled(catalogue: SqlCatalogue, text: str, **more: Any) -> list[str]:
    asked: dict[str, Any] = {"names": (), "numbers": (), "filters": NO_FILTERS, **more}
    return [it.title for it in catalogue.titled_in(text, **asked)]


def test_documents_are_found_by_how_their_title_begins_by_what_it_holds_and_by_number(catalogue: SqlCatalogue) -> None:
    for n, title in enumerate(("业务考核评价工作规则", "Case handling guide", "密码法", "100%_办法")):
        publish(catalogue, title=title, created_at=NOW + timedelta(n), document_number=f"〔2023〕{n + 20}号")
    assert titled(catalogue, "业务考核评价怎么做") == ["业务考核评价工作规则"]
    assert titled(catalogue, "the case handling") == ["Case handling guide"]
    assert titled(catalogue, "密码法") == []
    assert titled(catalogue, "", names=["密码"]) == ["密码法"]
    assert titled(catalogue, "", names=["%_"]) == ["100%_办法"]
    assert titled(catalogue, "", names=["_"]) == ["100%_办法"]
    assert titled(catalogue, "", numbers=["21"]) == ["Case handling guide"]
    assert titled(catalogue, "密码 考核", names=["密码", "考核"]) == ["密码法", "业务考核评价工作规则"]


def test_documents_that_may_not_be_shown_are_not_named(catalogue: SqlCatalogue) -> None:
    document, _, _ = publish(catalogue, title="业务考核评价工作规则")
    add(catalogue)
    assert titled(catalogue, "业务考核评价工作规则", filters=Filters(kind=("lecture",))) == []
    catalogue.delete_document(document.id, at=NOW)
    assert titled(catalogue, "业务考核评价工作规则") == []


def test_a_title_that_is_named_comes_before_many_that_only_begin_alike(
    catalogue: SqlCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.catalogue.live._MOST_TITLES", 2)
    for n, title in enumerate(("中共中央关于甲事的决定", "中共中央关于乙事的决定", "中共中央关于丙事的决定")):
        publish(catalogue, title=title, created_at=NOW + timedelta(n))
    asked = "《中共中央关于甲事的决定》说了什么？"
    assert titled(catalogue, asked, names=["中共中央关于甲事的决定"])[0] == "中共中央关于甲事的决定"
