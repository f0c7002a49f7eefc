"""What does it have to beat? Simpler rankings of the same passages with the same vectors."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from xuesi.core.domain import DocumentId, PassageId, VersionState
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import Floats
from xuesi.core.text import in_context
from xuesi.services import Services

# The documents of the best passages for a question, best first, one for each passage, and how many passages are wanted.
Ranker = Callable[[str, int], list[DocumentId]]
NAMES = {"dense": "dense", "bm25": "BM25", "rrf": "RRF", "llama_index": "LlamaIndex"}
_K = 60


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage as it was embedded, title and heading path before it, and its vector (dimension,)."""

    id: PassageId
    text: str
    vector: Floats


Hybrid = Callable[..., contextlib.AbstractContextManager[Callable[[str], list[PassageId]]]]


def llama_index_hybrid() -> Hybrid:
    """LlamaIndex's hybrid. To be called before a library is opened: its packages are an extra, and import what the library's threads use by then.

    Raises:
        Misconfigured: If they are not installed.
    """
    try:
        from eval.llama_index_hybrid import hybrid  # noqa: PLC0415 an extra that nothing else needs
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"The baselines need a package that is not installed: {error.name}.",
            hint="Install them: pip install 'xuesi[baselines]'",
        ) from error
    return hybrid


@contextlib.contextmanager
def baselines(services: Services, hybrid: Hybrid) -> Iterator[dict[str, Ranker]]:
    """The baselines over what the library holds, until the block ends, under the keys of `NAMES`. `hybrid` is LlamaIndex's.

    Our own take as many candidates as the setting says, as the product does.
    """
    passages, owners = _passages(services)
    most = services.settings.candidates
    own = _Own(services)
    with hybrid(passages, services.embedder) as theirs:
        rankings: dict[str, Callable[[str, int], list[PassageId]]] = {
            "dense": own.dense,
            "bm25": own.bm25,
            "rrf": own.rrf,
            "llama_index": lambda question, _: theirs(question),
        }
        yield {name: _by_document(ranking, owners, least=most) for name, ranking in rankings.items()}


class _Own:
    """Rankings with the product's own indexes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def dense(self, question: str, limit: int) -> list[PassageId]:
        vector = self._services.embedder.embed_query(question).vector
        return [key for key, _ in self._services.indexes.vectors.query(vector, limit)]

    def bm25(self, question: str, limit: int) -> list[PassageId]:
        lexical = self._services.indexes.lexical
        return [key for key, _ in lexical.search(lexical.parse(question), limit=limit)]

    def rrf(self, question: str, limit: int) -> list[PassageId]:
        """Reciprocal rank fusion (Cormack et al. 2009, doi:10.1145/1571941.1572114): the sum of 1 / (k + rank), ranks from 1."""
        scores: dict[PassageId, float] = {}
        for ranking in (self.dense(question, limit), self.bm25(question, limit)):
            for rank, key in enumerate(ranking, start=1):
                scores[key] = scores.get(key, 0.0) + 1 / (_K + rank)
        return sorted(scores, key=lambda key: (-scores[key], key))


def _by_document(
    ranking: Callable[[str, int], list[PassageId]], owners: Mapping[PassageId, DocumentId], *, least: int
) -> Ranker:
    return lambda question, limit: [owners[key] for key in ranking(question, max(limit, least))][:limit]


def _passages(services: Services) -> tuple[list[EmbeddedPassage], dict[PassageId, DocumentId]]:
    """All live passages as they were embedded, and the document of each."""
    catalogue = services.catalogue
    titles = catalogue.titles()
    embedded: list[EmbeddedPassage] = []
    owners: dict[PassageId, DocumentId] = {}
    for version in catalogue.all_versions((VersionState.LIVE,)):
        vectors = services.files.vectors(version, services.embedder.fingerprint)
        for passage, vector in zip(catalogue.passages(version.id), vectors, strict=True):
            text, _ = in_context(titles[version.document_id], passage.heading_path, passage.text)
            embedded.append(EmbeddedPassage(passage.id, text, vector))
            owners[passage.id] = version.document_id
    return embedded, owners
