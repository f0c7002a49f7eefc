"""How does a list that is read whole travel in parts?"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from xuesi.core.cursor import cursor_of, key_of

Limit = Annotated[int, Query(ge=1, le=100)]
_T = TypeVar("_T")


def part_of(
    items: Sequence[_T], key: Callable[[_T], tuple[str | int | float, ...]], *, limit: int, cursor: str
) -> tuple[Sequence[_T], str | None]:
    """The next `limit` items after the cursor, and the cursor of what follows them. `items` ascend by `key`.

    Raises:
        InvalidInput: If the cursor comes from no such list.
    """
    if items and cursor:
        after = tuple(key_of(cursor, *map(type, key(items[0]))))
        items = [item for item in items if key(item) > after]
    part = items[:limit]
    return part, cursor_of(key(part[-1])) if len(items) > limit else None
