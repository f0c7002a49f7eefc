"""In which shape does an administrator see the installation?"""

from pydantic import BaseModel, ConfigDict, Field


class FindingOut(BaseModel):
    """One kind of thing that is wrong with the installation: how bad it is (`error`, `warning`, or `note`: nothing is wrong), everything that has it, and how to mend it.

    With `by_job` a repair queues jobs, and is done when they are.
    """

    model_config = ConfigDict(from_attributes=True)

    code: str
    severity: str
    detail: str
    hint: str
    repairable: bool
    by_job: bool
    items: list[str]


class Report(BaseModel):
    """All that is wrong, errors first; empty: nothing is. `mended` is what a repair has put right."""

    findings: list[FindingOut]
    mended: list[FindingOut] = []


class RebuiltOut(BaseModel):
    """What a rebuild of the indexes came to."""

    model_config = ConfigDict(from_attributes=True)

    passages: int
    took_s: float


class ModelAsked(BaseModel):
    """The embedding model that is wanted, as the setting `embedding_model` names it; `base_url` of its server where that is another one."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=1000)
    base_url: str = Field("", max_length=1000)


class ProblemOfChange(BaseModel):
    """Why a change does not get on; it is tried again."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    detail: str


class NextModelOut(BaseModel):
    """The model that is being prepared. `done` of `total` passages are embedded; `stage` is embedding or indexing; `eta_s` null where nothing tells."""

    model_config = ConfigDict(from_attributes=True)

    model: str = Field(validation_alias="name")
    fingerprint: str
    stage: str
    done: int
    total: int
    eta_s: float | None
    problem: ProblemOfChange | None


class EmbeddingModelOut(BaseModel):
    """The model that answers, and the one that is to take its place, null if none is."""

    model: str
    fingerprint: str
    next: NextModelOut | None


class DroppedOut(BaseModel):
    """Of how many versions vectors were deleted, and the bytes that they took."""

    model_config = ConfigDict(from_attributes=True)

    versions: int
    bytes: int
