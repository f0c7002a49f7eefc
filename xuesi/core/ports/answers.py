"""What does the material say, and where?"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Citation,
    Filters,
    Statement,
    Turn,
)

AnswerEvent = Citation | Statement | Answer


class Answerer(Protocol):
    """What does the material say, and where?"""

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
    ) -> Iterator[AnswerEvent]:
        """Each citation before the first statement that uses it, and the whole answer last.

        Raises:
            EmptyQuestion: If there is nothing to answer.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If the mode is unknown.
            ModelUnavailable: If generative mode is asked for and no model server is set or it does not answer.
        """
        ...
