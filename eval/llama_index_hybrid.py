"""What would LlamaIndex's own hybrid find? Chroma and BM25 joined by its fusion retriever, as its documentation shows it.

Documentation: the examples "BM25 Retriever" (Chroma as the vector store, its nodes in a document store) and "Reciprocal Rerank Fusion
Retriever". As there, BM25 splits and stems as for English. Passages and their vectors are those of the product's library.

Each of the two gives its ten best. That is kind: BM25Retriever fills up its list with passages that have no word of the question, and the longer the
lists, the more often such a passage stands in both and goes before the right one (figures in docs/benchmarks.md).
"""

import asyncio
import contextlib
import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence

import chromadb
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.chroma import ChromaVectorStore

from eval.baselines import EmbeddedPassage
from index.embedders.llama_index import XuesiEmbedding
from xuesi.core.domain import PassageId
from xuesi.core.ports import Embedder


@contextlib.contextmanager
def hybrid(
    passages: Sequence[EmbeddedPassage], embedder: Embedder, *, candidates: int = 10
) -> Iterator[Callable[[str], list[PassageId]]]:
    """Index the passages the way of LlamaIndex until the block ends.

    Args:
        passages: All of the library.
        embedder: Embeds the questions.
        candidates: Passages taken from each of the two; all of them are given back.

    Yields:
        Passages to a question, best first.
    """
    logging.getLogger("llama_index.retrievers.bm25").setLevel(
        logging.ERROR
    )  # it warns of fewer passages than candidates
    nodes = [TextNode(id_=it.id, text=it.text, embedding=it.vector.tolist()) for it in passages]
    # `retrieve` would open an event loop and leave it open
    with tempfile.TemporaryDirectory(prefix="xuesi-llama-index-") as folder, asyncio.Runner() as loop:
        client = chromadb.PersistentClient(path=folder, settings=chromadb.Settings(anonymized_telemetry=False))
        try:
            collection = client.create_collection(f"dense-{uuid.uuid4().hex}", embedding_function=None)
            documents = SimpleDocumentStore()
            documents.add_documents(nodes)
            storage = StorageContext.from_defaults(
                docstore=documents, vector_store=ChromaVectorStore(chroma_collection=collection)
            )
            index = VectorStoreIndex(nodes=nodes, storage_context=storage, embed_model=XuesiEmbedding(embedder))
            retriever = QueryFusionRetriever(
                [
                    index.as_retriever(similarity_top_k=candidates),
                    BM25Retriever.from_defaults(docstore=documents, similarity_top_k=candidates),
                ],
                llm=MockLLM(),  # never asked: the question is the one query
                num_queries=1,
                mode=FUSION_MODES.RECIPROCAL_RANK,
                similarity_top_k=2 * candidates,
            )
            yield lambda question: [PassageId(it.node.node_id) for it in loop.run(retriever.aretrieve(question))]
        finally:
            client.close()
