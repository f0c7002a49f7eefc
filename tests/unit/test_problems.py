"""Every error has a status, and what a caller sees of it says no more than it may."""

from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers

from api import problems
from xuesi.core import errors
from xuesi.core.errors import XuesiError


def _kinds(kind: type[XuesiError] = XuesiError) -> Iterator[type[XuesiError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)


ALL = sorted(set(_kinds()), key=lambda kind: kind.code)

FAMILIES = {
    errors.InvalidInput: {413, 415, 422},
    errors.NotFound: {404},
    errors.Conflict: {409},
    errors.Forbidden: {401, 403},
    errors.LimitReached: {429},
    errors.Unavailable: {503},
    errors.Corrupt: {500},
    errors.Misconfigured: {500},
}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_status_fits_the_family(kind: type[XuesiError]) -> None:
    allowed = next(statuses for family, statuses in FAMILIES.items() if issubclass(kind, family))
    assert problems.status_of(kind) in allowed


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_problem_has_the_members_of_the_contract(kind: type[XuesiError]) -> None:
    problem = problems.body(kind("What happened.", hint="What to do."), request_id="r-1", instance="/here")
    assert problem["type"] == f"/errors/{kind.code}"
    assert (problem["title"], problem["code"]) == (kind.title, kind.code)
    assert (problem["request_id"], problem["instance"]) == ("r-1", "/here")
    assert ("retry_after_s" in problem) is kind.retryable
    if problem["status"] == 500:
        assert "What happened" not in problem["detail"]
        assert "hint" not in problem
    else:
        assert (problem["detail"], problem["hint"]) == ("What happened.", "What to do.")


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_unforeseen_error_tells_nothing_of_its_cause() -> None:
    problem = problems.body(RuntimeError("secret path /etc"), request_id="r-1", instance="/here")
    assert problem["status"] == 500
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0.4, application/problem+json;q=0.6", False),
        ("text/html;q=nonsense", False),
        ("", False),
    ],
)
def test_html_is_sent_to_who_prefers_it(accept: str, *, html: bool) -> None:
    assert problems.prefers_html(Headers({"accept": accept})) is html
