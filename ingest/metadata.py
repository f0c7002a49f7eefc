"""What does somebody who adds a file say about it?"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from xuesi.core.domain import Kind
from xuesi.core.errors import InvalidInput

_LONGEST = {"title": 500, "issuer": 500, "document_number": 200, "language": 35, "visibility": 64, "password": 1000}
_LONGEST_TOPIC = 200


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a document that is added. An empty title: it is taken from the file. The password is never stored with it."""

    title: str = ""
    kind: Kind = Kind.OTHER
    issuer: str = ""
    published_on: date | None = None
    effective_on: date | None = None
    topics: tuple[str, ...] = ()
    language: str = ""
    visibility: str = "everyone"
    document_number: str = ""
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> "Metadata":
        """Metadata as JSON gives it; dates are `YYYY-MM-DD`, topics a string or a list of them. What is None counts as not given.

        Raises:
            InvalidInput: If a field is unknown or cannot have its value; `facts["field"]` names it.
        """
        known = {f.name for f in fields(cls)}
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Fields: {', '.join(sorted(known))}."
                raise InvalidInput(f"The metadata have no field {name}.", hint=hint, field=name)
        return cls(**{name: _parsed(name, value) for name, value in given.items() if value is not None})

    def told(self) -> dict[str, Any]:
        """The fields of a document that were given, by name."""
        default = Metadata()
        names = (f.name for f in fields(self) if f.name != "password")
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(default, name)}


def _parsed(name: str, value: Any) -> Any:
    if name == "kind":
        if not isinstance(value, str) or value not in list(Kind):
            raise InvalidInput(f"{value!r} is no kind of document.", hint=f"Kinds: {', '.join(Kind)}.", field=name)
        return Kind(value)
    if name.endswith("_on"):
        return _date(name, value)
    if name == "topics":
        return _topics([value] if isinstance(value, str) else value)
    return _text(name, value, _LONGEST[name], strip=name != "password")


def _date(name: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 a day has no zone
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{name} is {value!r}, which is no date.",
            hint="Write it as YYYY-MM-DD, for example 2023-04-21.",
            field=name,
        ) from error


def _topics(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise InvalidInput(f"topics is {value!r}; a list of words is needed.", field="topics")
    topics = (_text("topics", topic, _LONGEST_TOPIC) for topic in value)
    return tuple(dict.fromkeys(topic for topic in topics if topic))


def _text(name: str, value: Any, longest: int, *, strip: bool = True) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be text.", field=name)  # the value may be a password
    text = " ".join(value.split()) if strip else value
    if len(text) > longest or "\0" in text:
        raise InvalidInput(f"{name} has {len(text)} characters; at most {longest} are taken, and no NUL.", field=name)
    return text
