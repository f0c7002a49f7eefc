"""Where do the stages meet? The Protocols that ingest, index, answer, api and eval know of each other.

Concrete adapters are named in xuesi/wiring.py and xuesi/offline.py alone. Every port has a suite in tests/contract that an adapter must pass.

Each module holds one port and what it gives and takes; all of them are imported from here.
"""

from xuesi.core.ports.answers import Answerer, AnswerEvent
from xuesi.core.ports.arrays import Bits, Floats, Halves, Ints
from xuesi.core.ports.catalogue import Catalogue, DocumentRow, Fault, FaultKind, LivePassage, NearDuplicate, Signature
from xuesi.core.ports.embedding import Embedded, EmbeddedQuery, Embedder, EmbedInput, TokenCodes
from xuesi.core.ports.files import Files, SentenceVectors, StoredFile
from xuesi.core.ports.generator import Generator, Pieces, Trouble
from xuesi.core.ports.indexes import LexicalEntry, LexicalIndex, LexicalQuery, VectorIndex
from xuesi.core.ports.queue import Queue
from xuesi.core.ports.reading import Furniture, LeftOut, Reader, Reading
from xuesi.core.ports.rendering import Renderer
from xuesi.core.ports.reranking import Reranker
from xuesi.core.ports.search import Searcher, SearchResult
from xuesi.core.ports.words import Word, WordKind, Words

__all__ = [
    "AnswerEvent",
    "Answerer",
    "Bits",
    "Catalogue",
    "DocumentRow",
    "EmbedInput",
    "Embedded",
    "EmbeddedQuery",
    "Embedder",
    "Fault",
    "FaultKind",
    "Files",
    "Floats",
    "Furniture",
    "Generator",
    "Halves",
    "Ints",
    "LeftOut",
    "LexicalEntry",
    "LexicalIndex",
    "LexicalQuery",
    "LivePassage",
    "NearDuplicate",
    "Pieces",
    "Queue",
    "Reader",
    "Reading",
    "Renderer",
    "Reranker",
    "SearchResult",
    "Searcher",
    "SentenceVectors",
    "Signature",
    "StoredFile",
    "TokenCodes",
    "Trouble",
    "VectorIndex",
    "Word",
    "WordKind",
    "Words",
]
