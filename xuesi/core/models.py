"""Which embedding model does the library use, and which one is being prepared to take its place? Facts that the catalogue keeps.

A library knows its model by fingerprint, and by the name under which it was chosen. The setting `embedding_model` says which one a new library
begins with. Once a library has been given another, that choice holds as long as the setting is what it was then; a setting that says something
new is obeyed, or refused where the vectors are not that model's.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from xuesi.core.domain import Version, VersionId, VersionState
from xuesi.core.errors import Misconfigured, XuesiError
from xuesi.core.ports import Catalogue, Files
from xuesi.core.settings import Settings

LLAMA_INDEX = "llama-index:"  # before the module and the name of what gives the embedding
FINGERPRINT_FACT = "embedding_fingerprint"  # of the model whose vectors the indexes hold
_CHOICE_FACT = "embedding_choice"
_NEXT_FACT = "next_model"
_PROBLEM_FACT = "next_model_problem"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that was chosen by `xuesi reindex --model`. `name` and `base_url` as the settings `embedding_model` and `embedding_base_url` have them.

    `instead_of` is what the setting `embedding_model` said then.
    """

    name: str
    base_url: str
    instead_of: str


@dataclass(frozen=True, slots=True)
class NextModel:
    """A model with which the library is being embedded. `asked_at` is an ISO time in UTC, the name of this change among others."""

    choice: Choice
    fingerprint: str
    asked_at: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a change of the model does not get on, as an error says it."""

    code: str
    detail: str

    @classmethod
    def of(cls, error: Exception, *, about: str = "") -> Self:
        """What the error says; `about` names what was being done."""
        known = isinstance(error, XuesiError)
        told = str(error) if known else "Something unforeseen went wrong; the log says what. It is tried again."
        return cls(
            error.code if isinstance(error, XuesiError) else "internal-error", f"{about}: {told}" if about else told
        )


def fingerprint_in_force(catalogue: Catalogue) -> str | None:
    """Of the model whose vectors the indexes hold; None before a server has opened the library."""
    return catalogue.get_fact(FINGERPRINT_FACT)


def choice_in_force(catalogue: Catalogue) -> Choice | None:
    """What was chosen for the library; None if it goes by the settings."""
    kept = catalogue.get_fact(_CHOICE_FACT)
    return Choice(**json.loads(kept)) if kept else None


def next_model(catalogue: Catalogue) -> NextModel | None:
    """The model that is being prepared, if any."""
    kept = catalogue.get_fact(_NEXT_FACT)
    if not kept:
        return None
    facts = json.loads(kept)
    return NextModel(Choice(**facts.pop("choice")), **facts)


def prepare(catalogue: Catalogue, choice: Choice, fingerprint: str) -> NextModel:
    """From now on the library is embedded with this model too."""
    following = NextModel(choice, fingerprint, datetime.now(UTC).isoformat())
    catalogue.set_facts({_NEXT_FACT: json.dumps(asdict(following)), _PROBLEM_FACT: None})
    return following


def forget_next(catalogue: Catalogue) -> None:
    """No other model is being prepared any more."""
    catalogue.set_facts({_NEXT_FACT: None, _PROBLEM_FACT: None})


def choose(catalogue: Catalogue, choice: Choice, fingerprint: str) -> None:
    """The library goes by this choice, whose vectors the indexes hold."""
    catalogue.set_facts({FINGERPRINT_FACT: fingerprint, _CHOICE_FACT: json.dumps(asdict(choice))})


def settings_in_force(settings: Settings, catalogue: Catalogue) -> Settings:
    """The settings with the model that was chosen for the library, unless they have said something new since. Raises as `settings_of`."""
    choice = choice_in_force(catalogue)
    if choice is None or settings.embedding_model not in (choice.instead_of, choice.name):
        return settings
    return settings_of(choice, settings)


def settings_of(choice: Choice, settings: Settings) -> Settings:
    """The settings with this model.

    Raises:
        Misconfigured: If the model is code that the settings do not name: neither who asks over HTTP nor a backup may have code loaded.
    """
    if choice.name.startswith(LLAMA_INDEX) and choice.name != settings.embedding_model:
        raise Misconfigured(
            f"{choice.name} is code, which is loaded only where the setting embedding_model names it.",
            hint="Set XUESI_EMBEDDING_MODEL to it where Xuesi is started, then run xuesi reindex --model with it.",
        )
    base_url = choice.base_url or settings.embedding_base_url
    return settings.model_copy(update={"embedding_model": choice.name, "embedding_base_url": base_url})


def facts_of_switch(following: NextModel) -> Mapping[str, str | None]:
    """What is to be written when the indexes hold the vectors of this model: it is in force, and none is being prepared."""
    return {
        FINGERPRINT_FACT: following.fingerprint,
        _CHOICE_FACT: json.dumps(asdict(following.choice)),
        _NEXT_FACT: None,
        _PROBLEM_FACT: None,
    }


def problem_of(catalogue: Catalogue, following: NextModel) -> Problem | None:
    """What keeps this model's preparation from getting on, if anything."""
    kept = catalogue.get_fact(_PROBLEM_FACT)
    facts = json.loads(kept) if kept else {"of": ""}
    return Problem(facts["code"], facts["detail"]) if facts["of"] == following.asked_at else None


def report_problem(catalogue: Catalogue, following: NextModel, problem: Problem | None) -> None:
    """Say what keeps this model's preparation from getting on, or that nothing does any more."""
    if problem == problem_of(catalogue, following):
        return
    facts = json.dumps({"of": following.asked_at, **asdict(problem)}) if problem else None
    catalogue.set_facts({_PROBLEM_FACT: facts})


@dataclass(frozen=True, slots=True)
class Gap:
    """A version that lacks the vectors of a model, and the title that is to be embedded with its passages."""

    version: Version
    title: str


class Gaps:
    """What is still to be embedded. Versions that were found complete are remembered for as long as the same model is being prepared."""

    def __init__(self, catalogue: Catalogue, files: Files) -> None:
        self._catalogue = catalogue
        self._files = files
        self._complete: dict[str, dict[VersionId, str]] = {}  # of the change that was asked for last, by its time

    def in_library(self, following: NextModel) -> list[Gap]:
        """Versions that are in the indexes, or about to be, oldest first. Those of removed documents are embedded when they are restored."""
        titles = self._catalogue.titles()
        states = (VersionState.LIVE, VersionState.RETIRED, VersionState.PUBLISHING)
        versions = self._catalogue.all_versions(states)
        among = [Gap(version, titles[version.document_id]) for version in versions if version.document_id in titles]
        complete = self._complete.get(following.asked_at, {})
        self._complete = {following.asked_at: complete}
        lacking = []
        for gap in among:
            if complete.get(gap.version.id) == gap.title:
                continue
            if self.lacks(gap, following):
                lacking.append(gap)
            else:
                complete[gap.version.id] = gap.title
        return lacking

    def lacks(self, gap: Gap, following: NextModel) -> bool:
        """Whether the version has no vectors of the model, or those that were made with another title."""
        kept = self._files.embedded(gap.version)
        return following.fingerprint not in kept or kept[following.fingerprint] not in (None, gap.title)
