"""Does the sample corpus, taken in by the product, answer the questions written for it, and abstain where it holds nothing?"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.questions import Outcome, check, read_questions
from ingest.worker import drain
from xuesi.cli.sample import take_sample
from xuesi.core.domain import Answer, JobState, Turn
from xuesi.core.settings import Settings
from xuesi.services import Services
from xuesi.wiring import open_services

ROOT = Path(__file__).parents[2]
# A little below what was measured: of 92 questions 90 find the document and 87 hear its wording; 10 of 12 that have no answer get none.
FOUND, RIGHT, ABSTAINED = 0.96, 0.90, 0.80
# The text that the product was asked for, in Chinese and in English: nothing of what it says may be missed.
SEED = ("hunan-theme-education-news.html", "hunan-theme-education-news-en.html")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("sample"))
    (settings.data_dir / "models").symlink_to(model_dir.parent, target_is_directory=True)
    with open_services(settings) as services:
        catalogue = services.catalogue
        take_sample(services, ROOT / "corpus" / "manifest.toml")
        drain(catalogue=catalogue, files=services.files, embedder=services.embedder, settings=settings)
        while any(catalogue.jobs(state=state, limit=1)[0] for state in (JobState.QUEUED, JobState.RUNNING)):
            time.sleep(0.05)
        assert not catalogue.jobs(state=JobState.FAILED, limit=1)[0]
        yield services


@pytest.fixture(scope="module")
def outcomes(services: Services) -> list[Outcome]:
    return check(
        read_questions(ROOT / "eval" / "questions" / "sample.jsonl"),
        searcher=services.searcher,
        answerer=services.answerer,
        names={row.document.id: row.newest.file_name for row in services.catalogue.rows(limit=100)[0]},
    )


def conversation(services: Services, *questions: str) -> tuple[list[str | None], list[Answer]]:
    """What each question was completed to, and its answer."""
    turns: list[Turn] = []
    answers: list[Answer] = []
    for question in questions:
        *_, answer = services.answerer.ask(question, conversation=turns)
        assert isinstance(answer, Answer)
        answers.append(answer)
        turns += [Turn("user", question), Turn("assistant", "\n".join(it.text for it in answer.statements))]
    return [answer.understood.question for answer in answers], answers


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


def test_the_expected_document_is_among_the_hits(outcomes: list[Outcome]) -> None:
    assert share([o.found for o in outcomes if o.asking.expected]) >= FOUND


def test_the_expected_wording_is_said_with_its_document_cited(outcomes: list[Outcome]) -> None:
    wrong = [o.asking.question for o in outcomes if o.asking.expected and not o.right]
    assert share([o.right for o in outcomes if o.asking.expected]) >= RIGHT, wrong


def test_every_question_on_the_seed_text_is_answered(outcomes: list[Outcome]) -> None:
    asked = [o for o in outcomes if any(e.document in SEED for e in o.asking.expected)]
    assert len(asked) == 57
    assert not [o.asking.id for o in asked if not o.found]
    assert not [f"{o.asking.id} {o.asking.question}" for o in asked if not o.right]


def test_what_the_corpus_cannot_answer_is_left_unanswered(outcomes: list[Outcome]) -> None:
    answered = [o.asking.question for o in outcomes if not o.asking.expected and not o.right]
    assert share([o.right for o in outcomes if not o.asking.expected]) >= ABSTAINED, answered
