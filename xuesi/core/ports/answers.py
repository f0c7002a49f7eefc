"""What does the material say, and where?"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from xuesi.core.domain import (
    NO_FILTERS,
    Answer,
    Citation,
    Filters,
    Statement,
    Turn,
    Understood,
)

AnswerEvent = Understood | Citation | Statement | Answer


class Answerer(Protocol):
    """What does the material say, and where?"""

    def ask(
        self,
        question: str,
        *,
        mode: str = "auto",
        filters: Filters = NO_FILTERS,
        conversation: Sequence[Turn] = (),
        without: Collection[str] = (),
    ) -> Iterator[AnswerEvent]:
        """What the question was taken to mean, if anything beyond its words; each citation before the first statement that uses it; the whole answer last.

        A question that goes on from the conversation is completed from it. `without` as in `Searcher.search`.

        Raises:
            EmptyQuestion: If there is nothing to answer.
            QuestionTooLong: If it is over the limit.
            InvalidInput: If the mode is unknown.
            ModelUnavailable: If generative mode is asked for and no model server is set. One that does not answer has the extractive answer come.
        """
        ...
