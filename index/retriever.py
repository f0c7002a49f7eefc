"""How does any LlamaIndex engine use Xuesi's search? As a `BaseRetriever`: the same hits, as nodes with their scores."""

import asyncio

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from xuesi.core.domain import NO_FILTERS, Filters, Hit
from xuesi.core.ports import Searcher


class XuesiRetriever(BaseRetriever):
    """Xuesi's search within LlamaIndex. A node's id is its passage's, its text the passage's text, its score the hit's.

    With a reranker the order of the nodes is not that of their scores.

    Metadata: document_id, version, title, pages [from, to], span [start, end) in code points of the version's text, heading_path. They are
    kept out of what a model is given, but for the title and the heading path.
    """

    def __init__(self, searcher: Searcher, *, limit: int = 10, filters: Filters = NO_FILTERS) -> None:
        """`limit` is the number of nodes, `filters` the documents that are asked."""
        self._searcher = searcher
        self._limit = limit
        self._filters = filters
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._searcher.search(query_bundle.query_str, limit=self._limit, filters=self._filters, strict=False)
        return [_node(hit) for hit in found.hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(hit: Hit) -> NodeWithScore:
    passage = hit.passage
    places = {
        "document_id": hit.document.id,
        "version": hit.version,
        "pages": [passage.page_from, passage.page_to],
        "span": [passage.span.start, passage.span.end],
    }
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        metadata={**places, "title": hit.document.title, "heading_path": list(passage.heading_path)},
        excluded_llm_metadata_keys=list(places),
        excluded_embed_metadata_keys=list(places),
    )
    return NodeWithScore(node=node, score=hit.score)
