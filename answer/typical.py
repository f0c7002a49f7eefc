"""What do all questions have in common? The part of a question's vector that says nothing about what is asked.

Vectors of embedding models lie in a narrow cone: any two questions look alike, and so do the sentences of one passage. Taken away from
both sides, what is particular to this question meets what is particular to this sentence. Measured with the embedded model, best sentence
of the ten best passages: the gold answer is in it for 0.68 instead of 0.64 of the questions of xquad_zh, and for 0.37 instead of 0.29 of xquad_zh2en.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from xuesi.core.ports import EmbeddedQuery, Floats

_TYPICAL = (
    "什么是这个概念的含义？",
    "这件事是什么时候发生的？",
    "一共有多少人参加了这次活动？",
    "谁负责这项工作？",
    "为什么要这样做？",
    "怎样才能做好这件事？",
    "主要内容有哪些？",
    "这个地方位于哪里？",
    "What does this term mean?",
    "When did this happen?",
    "How many people took part?",
    "Who is in charge of this work?",
    "Why is it done this way?",
    "How can this be done well?",
    "What are the main points?",
    "Where does this place lie?",
)


class TypicalQuestion:
    """The mean vector of questions about nothing in particular, (dimension,); embedded when it is first needed, then kept."""

    def __init__(self, embed: Callable[[str], EmbeddedQuery]) -> None:
        self._embed = embed

    @cached_property
    def vector(self) -> Floats:
        """The mean. Raises ModelUnavailable."""
        mean: Floats = np.mean([self._embed(question).vector for question in _TYPICAL], axis=0, dtype=np.float32)
        return mean
