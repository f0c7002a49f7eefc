"""What do several wire types have in common? Strict input, text, one value or many, and the problem in which every error travels."""

from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from typing_extensions import TypedDict

T = TypeVar("T")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _of_whole_characters(text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("half a character (a lone surrogate) stands in it")
    return text


# JSON can spell halves of characters, which neither a model nor a database takes.
Text = Annotated[str, AfterValidator(_of_whole_characters)]

OneOrMany = Annotated[list[T], BeforeValidator(_as_list)]


class Strict(BaseModel):
    """What is asked: unknown members are refused, so that a misspelt filter never answers more than was meant."""

    model_config = ConfigDict(extra="forbid")


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    hint: NotRequired[str]
    errors: NotRequired[list[dict[str, str]]]
    retry_after_s: NotRequired[float]
    document_id: NotRequired[str]
