"""What may be said of a file that is added, and what is refused with the field named?"""

from datetime import date, datetime
from typing import Any

import pytest

from ingest.metadata import Metadata
from xuesi.core.domain import Kind
from xuesi.core.errors import InvalidInput


def test_nothing_said_is_nothing_told() -> None:
    assert Metadata.parse({}) == Metadata()
    assert Metadata.parse({"title": None, "password": None}) == Metadata()
    assert Metadata().told() == {}


def test_everything_said_is_told_but_the_password() -> None:
    given = {
        "title": "  工作  手册 ",
        "kind": "news",
        "issuer": "宣传部",
        "published_on": "2020-02-29",
        "effective_on": date(2020, 3, 1),
        "topics": ["调研", " 调研 ", "", "作风"],
        "language": "zh",
        "visibility": "lecturers",
        "password": " with spaces ",
    }
    metadata = Metadata.parse(given)
    assert metadata.password == " with spaces "
    assert metadata.told() == {
        "title": "工作 手册",
        "kind": Kind.NEWS,
        "issuer": "宣传部",
        "published_on": date(2020, 2, 29),
        "effective_on": date(2020, 3, 1),
        "topics": ("调研", "作风"),
        "language": "zh",
        "visibility": "lecturers",
    }


def test_one_topic_may_stand_alone() -> None:
    assert Metadata.parse({"topics": "调研"}).topics == ("调研",)


def test_the_password_is_not_shown() -> None:
    assert "geheim" not in repr(Metadata.parse({"password": "geheim"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("published_on", "2023-02-29"),
        ("published_on", "29.2.2020"),
        ("published_on", "2023-4-31"),
        ("published_on", 20200101),
        ("effective_on", datetime(2020, 1, 1)),  # noqa: DTZ001 a time is no day
        ("kind", "poem"),
        ("kind", 3),
        ("title", 5),
        ("title", "x" * 501),
        ("issuer", "a\0b"),
        ("topics", 7),
        ("topics", [1]),
        ("topics", ["x" * 201]),
        ("password", 5),
        ("titlee", "x"),
    ],
)
def test_what_cannot_be_is_refused_and_its_field_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as told:
        Metadata.parse({name: value})
    assert told.value.facts["field"] == name


def test_a_misspelt_field_is_answered_with_the_right_one() -> None:
    with pytest.raises(InvalidInput, match="Did you mean title"):
        Metadata.parse({"titlee": "x"})


def test_a_refused_password_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as told:
        Metadata.parse({"password": "geheim" * 500})
    assert "geheim" not in str(told.value)
