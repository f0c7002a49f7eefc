"""Does an answer through a real small model hold up? TEST_LLM_URL and TEST_LLM_MODEL name a server of the OpenAI chat protocol; without them nothing is run."""

import os
from pathlib import Path

import pytest

from eval.build import build
from eval.dataset import read_dataset
from xuesi.core.domain import Answer
from xuesi.core.settings import Settings

pytestmark = [
    pytest.mark.chat_model,
    pytest.mark.skipif(not os.environ.get("TEST_LLM_URL"), reason="TEST_LLM_URL names no chat model"),
]
ROOT = Path(__file__).parents[2]
QUESTIONS = 10


def test_what_a_real_model_says_stands_in_the_material(model_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = read_dataset(ROOT / "eval" / "questions" / "sample.jsonl")
    settings = Settings(
        data_dir=model_dir.parents[1],
        llm_base_url=os.environ["TEST_LLM_URL"],
        llm_model=os.environ["TEST_LLM_MODEL"],
        llm_timeout_s=300,
        model_timeout_s=300,
    )
    answers: list[Answer] = []
    with build(dataset.corpus, settings) as library:
        for question in list(dataset.queries.values())[:QUESTIONS]:
            *_, answer = library.services.answerer.ask(question)
            assert isinstance(answer, Answer)
            answers.append(answer)
            with capsys.disabled():
                print(
                    f"\n{question}\n  {answer.mode} {answer.fallback} {answer.cut_short} {answer.took_ms / 1000:.1f} s"
                )
                for statement in answer.statements if answer.mode == "generative" else ():
                    print(f"  + {statement.text} {statement.citations}")
                for withheld in answer.withheld:
                    print(f"  - {withheld.reason}: {withheld.text}")
        for citation in (c for answer in answers for c in answer.citations):
            version = library.services.catalogue.version(citation.document_id, citation.version)
            assert citation.span.of(library.services.files.text(version)) == citation.quote
    assert any(answer.mode == "generative" for answer in answers)
