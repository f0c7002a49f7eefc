"""Which passages fit a query?"""

from fastapi import APIRouter

from api.schemas.search import SearchIn, SearchOut, filters_of, hits, phrases
from api.services import ServicesDep

router = APIRouter(tags=["search"])


@router.post("/search")
def search(services: ServicesDep, asked: SearchIn) -> SearchOut:
    """Live passages, best first, each with the explanation of its score."""
    found = services.searcher.search(asked.query, limit=asked.limit, filters=filters_of(asked.filters))
    return SearchOut(hits=hits(found.hits), phrases=phrases(found.phrases), took_ms=found.took_ms)
