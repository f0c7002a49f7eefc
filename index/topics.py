"""To which of the administrator's topics is a document close? Compared by the vectors that are kept of its passages."""

from collections.abc import Callable, Sequence

import numpy as np

from xuesi.core.domain import Suggestion, SuggestionSource, Topic, Version
from xuesi.core.errors import FileMissing
from xuesi.core.ports import Catalogue, Embedder, Files, Floats

_PASSAGES = 5  # a long document is about what its best passages are about
_MOST = 3
# How far a topic must be ahead of the mean of all topics. Cosines of this kind of model lie close together, so only the
# distance between topics tells: on the sample corpus topics given by hand are 0.056 ahead at the median, of the others nine in ten 0.027 or less.
_AHEAD = 0.03


class TopicFinder:
    """Suggests topics of the list for a version. Vectors of topics are kept while the list stays the same."""

    def __init__(self, *, embedder: Callable[[], Embedder], catalogue: Catalogue, files: Files) -> None:
        """`embedder` gives the one in force."""
        self._embedder = embedder
        self._catalogue = catalogue
        self._files = files
        self._kept: tuple[str, tuple[Topic, ...], Floats] = ("", (), np.zeros((0, 0), np.float32))

    def suggest(self, version: Version) -> list[Suggestion]:
        """At most three topics, the closest first; none where the list has fewer than two or the version has no vectors."""
        topics = tuple(self._catalogue.topics())
        if len(topics) < 2:
            return []
        embedder = self._embedder()
        try:
            passages = self._files.vectors(version, embedder.fingerprint)
        except FileMissing:
            return []
        if not len(passages):
            return []
        scores = closeness(passages, self._vectors(topics, embedder))
        best = sorted(range(len(topics)), key=lambda i: -scores[i])[:_MOST]
        return [
            Suggestion("topics", topics[i].name, SuggestionSource.TOPIC_LIST, topics[i].description)
            for i in best
            if scores[i] >= _AHEAD
        ]

    def _vectors(self, topics: tuple[Topic, ...], embedder: Embedder) -> Floats:
        model, kept, vectors = self._kept
        if (model, kept) != (embedder.fingerprint, topics):
            words = [f"{topic.name} {topic.description}".strip() for topic in topics]
            vectors = np.stack([embedder.embed_query(text).vector for text in words])
            self._kept = embedder.fingerprint, topics, vectors
        return vectors


def closeness(passages: Floats, topics: Floats) -> Sequence[float]:
    """For each topic, how much closer the document's best passages are to it than to the topics on average.

    Args:
        passages: (passages, dimension), unit norm.
        topics: (topics, dimension), unit norm.
    """
    cosines = np.sort(np.asarray(passages) @ topics.T, axis=0)[-_PASSAGES:].mean(axis=0)
    ahead: list[float] = (cosines - cosines.mean()).tolist()
    return ahead
