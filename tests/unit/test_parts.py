"""Does a list in parts give every item once, whatever comes or goes meanwhile?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.parts import part_of
from xuesi.core.cursor import cursor_of, key_of
from xuesi.core.errors import InvalidInput


def _key(item: tuple[float, str]) -> tuple[float, str]:
    return item


@given(
    st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3)), unique=True),
    st.integers(1, 5),
)
def test_the_parts_together_are_the_list(items: list[tuple[float, str]], limit: int) -> None:
    items.sort()
    given_: list[tuple[float, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        part, cursor = part_of(items, _key, limit=limit, cursor=cursor)
        assert len(part) <= limit
        given_ += part
    assert given_ == items


def test_items_that_go_between_two_parts_hide_none() -> None:
    items = [(float(i), "") for i in range(6)]
    first, cursor = part_of(items, _key, limit=3, cursor="")
    assert cursor
    rest = [item for item in items if item not in first]
    assert part_of(rest, _key, limit=3, cursor=cursor) == (rest, None)


@pytest.mark.parametrize("cursor", ["x", "é", "W10", cursor_of((1, "a")), cursor_of((1.0,)), "W1tb" * 5_000])
def test_a_cursor_of_no_such_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        part_of([(1.0, "a")], _key, limit=1, cursor=cursor)
    assert caught.value.facts["field"] == "cursor"


def test_a_cursor_keeps_its_key() -> None:
    assert key_of(cursor_of((1.5, "题", 3)), float, str, int) == [1.5, "题", 3]
