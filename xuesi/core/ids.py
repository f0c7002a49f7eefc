"""How are things named? UUIDv7 strings: unique without asking anyone, and sorted by the time they were made."""

from uuid_utils import uuid7


def new_id() -> str:
    """A fresh UUIDv7 in its canonical lower-case form (RFC 9562, section 5.7)."""
    return str(uuid7())
