"""Where was a list cut? A cursor is the sort key of the last item that was given, so that what comes or goes meanwhile shifts nothing."""

import base64
import binascii
import json
from collections.abc import Sequence

from xuesi.core.errors import InvalidInput


def cursor_of(key: Sequence[str | int | float]) -> str:
    """The cursor of what follows the item with this sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(cursor: str, *types: type) -> list[str | int | float]:
    """The sort key that a cursor holds.

    Raises:
        InvalidInput: If no list gave this cursor: its values are not of these types.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or tuple(map(type, key)) != types:
        raise not_a_cursor(cursor)
    return key


def not_a_cursor(cursor: str) -> InvalidInput:
    """What is said of a cursor that comes from no list."""
    return InvalidInput(
        f"The cursor {cursor[:60]!r} comes from no list.",
        hint="Leave it out to begin at the start, or give the `next` of an answer unchanged.",
        field="cursor",
    )
