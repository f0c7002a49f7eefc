"""Which passages fit a query?"""

from fastapi import APIRouter

from api.schemas.search import MeantOut, SearchIn, SearchOut, filters_of, hits, phrases
from api.services import ServicesDep

router = APIRouter(tags=["search"])


@router.post("/search")
def search(services: ServicesDep, asked: SearchIn) -> SearchOut:
    """Live passages, best first, each with the explanation of its score.

    Periods (2023年5月, 去年, since 2023) and documents (《…》, a title, 〔2023〕15号) that the query names are `understood`: what fits them is
    preferred, nothing else is left out. `without` takes such a preference back.
    """
    found = services.searcher.search(
        asked.query, limit=asked.limit, filters=filters_of(asked.filters), without=asked.without
    )
    return SearchOut(
        hits=hits(found.hits),
        phrases=phrases(found.phrases),
        understood=MeantOut.of(found.understood),
        took_ms=found.took_ms,
    )
