"""How does another embedding model take the place of the present one while that goes on answering? The server's part of it.

A worker embeds the library with the new model in the background. When nothing lacks, both indexes are built with its vectors beside those
in force; then one transaction of the catalogue names the new indexes and the new model, and queries go to both from the same moment on. The
old model's vectors stay beside each version's files until they are dropped: with them the way back is as short as a rebuild of the indexes.
"""

import logging
import shutil
import threading
import time
from collections.abc import MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from index.embedders.opened import OpenedModels
from index.indexes import Generation, Indexes
from index.publish import Publisher, batches
from index.rebuild import take_in
from index.versions import INDEXED, every_version
from xuesi.core import models
from xuesi.core.domain import VersionId, VersionState
from xuesi.core.errors import InvalidInput, Misconfigured, StorageFull, WrongState, XuesiError
from xuesi.core.models import Choice, Gap, Gaps, NextModel, Problem
from xuesi.core.ports import Catalogue, Embedder, Files

_log = logging.getLogger("xuesi.change")
_PAUSE_S = 1.0
_PAUSE_AFTER_ERROR_S = 30.0
_LOOK_S = 0.2
# For what is added while the new indexes are built; longer, and purged documents would wait for them.
_PATIENCE_S = 60.0
_SHARE_OF_TIME = 0.05  # that looking for what lacks may take
_SPARE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change is: `done` of `total` passages are embedded; `stage` is "embedding" or "indexing"; `eta_s` None where nothing tells."""

    name: str
    fingerprint: str
    asked_at: str
    stage: str
    done: int
    total: int
    eta_s: float | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was freed: of how many versions vectors were deleted, and their bytes."""

    versions: int
    bytes: int


class ModelChange:
    """Begins, follows, completes and cancels the change of the embedding model. Safe to share among threads."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: Files,
        indexes: Indexes,
        publisher: Publisher,
        embedders: MutableMapping[str, Embedder],
        opened: OpenedModels,
        data_dir: Path,
    ) -> None:
        """`embedders` are those that queries are embedded with, by fingerprint; the new model's joins them, and the old one's leaves."""
        self._catalogue = catalogue
        self._files = files
        self._indexes = indexes
        self._publisher = publisher
        self._embedders = embedders
        self._models = opened
        self._data_dir = data_dir
        self._gaps = Gaps(catalogue, files)
        self._deciding = threading.RLock()
        self._stage = "embedding"
        self._begun: tuple[str, float, int] = ("", 0.0, 0)  # which change, and when it was first seen here, how far

    # What people ask

    def start(self, choice: Choice) -> Progress | None:
        """Have the library embedded with another model; asked for again, it goes on. None if that model is in force already.

        Raises:
            InvalidInput: If there is no such model.
            ModelUnavailable: If its server does not answer.
            WrongState: If another one is being prepared.
            StorageFull: If its vectors would not fit on the disk.
        """
        with self._deciding:
            following = models.next_model(self._catalogue)
            if following is None or following.choice.name != choice.name:
                self._refuse_second(following)
                try:
                    embedder = self._models.chosen(choice)
                except Misconfigured as error:
                    raise InvalidInput(error.detail, hint=error.hint) from error
                if embedder.fingerprint == self._indexes.fingerprint:
                    models.choose(self._catalogue, choice, embedder.fingerprint)
                    return None
                self._refuse_without_room(embedder)
                models.prepare(self._catalogue, choice, embedder.fingerprint)
                _log.info("The library is embedded with %s (%s) from now on.", choice.name, embedder.fingerprint)
        return self.progress()

    def cancel(self) -> None:
        """Give the change up; what was embedded stays until it is dropped. Raises WrongState if none is under way."""
        with self._deciding:
            if models.next_model(self._catalogue) is None:
                raise WrongState("No other embedding model is being prepared.")
            models.forget_next(self._catalogue)

    def progress(self) -> Progress | None:
        """How far it is; None if no change is under way."""
        following = models.next_model(self._catalogue)
        if following is None:
            return None
        return self._progress(following, self._gaps.in_library(following))

    def drop_old(self) -> Dropped:
        """Delete the vectors of every model but the one in force and the one that is being prepared."""
        versions, freed = 0, 0
        with self._deciding:
            following = models.next_model(self._catalogue)
            keep = {self._indexes.fingerprint, *([following.fingerprint] if following else [])}
            for version in every_version(self._catalogue):
                here = self._files.drop_vectors(version, keep=keep)
                versions, freed = versions + bool(here), freed + here
        return Dropped(versions, freed)

    # What the server does

    def run_forever(self, stop: threading.Event) -> None:
        """Complete a change when it is due until told to stop. An error is reported, and the work tried again after a while."""
        while not stop.is_set():
            started = time.monotonic()
            try:
                self.step(stop)
                pause_s = max(_PAUSE_S, (time.monotonic() - started) / _SHARE_OF_TIME)
            except WrongState as error:  # the indexes are being rebuilt, or the server stops
                _log.info("%s", error)
                pause_s = _PAUSE_S
            except Exception as error:  # noqa: BLE001 the thread must outlive whatever went wrong, or no change would ever end
                self._report(error)
                pause_s = _PAUSE_AFTER_ERROR_S
            stop.wait(min(pause_s, _PAUSE_AFTER_ERROR_S))

    def step(self, stop: threading.Event | None = None) -> bool:
        """Switch to the model that is being prepared if nothing lacks.

        Returns:
            Whether it was done.

        Raises:
            XuesiError: If its model cannot be opened, or the indexes cannot be built; those in force stay.
            WrongState: If it is not the time for it.
        """
        following = models.next_model(self._catalogue)
        if following is None or self._gaps.in_library(following):
            return False
        embedder = self._models.following(following)
        started, old = time.monotonic(), self._indexes.fingerprint
        self._embedders[following.fingerprint] = embedder
        self._stage = "indexing"
        try:
            self._build(following, stop or threading.Event())
        finally:
            self._stage = "embedding"
            for unused in {old, following.fingerprint} - {self._indexes.fingerprint}:
                self._embedders.pop(unused, None)
            self._models.forget_unneeded()
        _log.info("%s is in force; its indexes took %.1f s.", following.choice.name, time.monotonic() - started)
        return True

    def _build(self, following: NextModel, stop: threading.Event) -> None:
        facts = models.facts_of_switch(following)
        # The lock of the last look is let go after the switch: nothing may be published between the two.
        with ExitStack() as last_look, self._indexes.building(following.fingerprint, facts=facts) as new:
            taken: dict[VersionId, str] = {}
            until_s = float("inf")
            while True:
                ready = [gap for gap in self._left(taken) if not self._gaps.lacks(gap, following)]
                for batch in batches(ready, passages=lambda gap: gap.version.passages):
                    _go_on(stop)
                    self._take_in(batch, new, taken)
                last_look.enter_context(self._deciding)
                last_look.enter_context(self._indexes.writing())
                if models.next_model(self._catalogue) != following:
                    raise WrongState("The change was cancelled.")
                if not self._left(taken):
                    return
                last_look.close()
                until_s = min(until_s, time.monotonic() + _PATIENCE_S)
                if time.monotonic() > until_s:
                    raise WrongState("New documents are not embedded yet; the indexes are built again when they are.")
                stop.wait(_LOOK_S)

    def _left(self, taken: dict[VersionId, str]) -> list[Gap]:
        """Versions that belong into the indexes and were not taken in with their present title."""
        titles = self._catalogue.titles()
        versions = self._catalogue.all_versions(INDEXED)
        wanted = (Gap(v, titles[v.document_id]) for v in versions if v.document_id in titles)
        return [gap for gap in wanted if taken.get(gap.version.id) != gap.title]

    def _take_in(self, batch: list[Gap], new: Generation, taken: dict[VersionId, str]) -> None:
        # Read and written under the lock, lest older vectors overwrite those that the publisher took in meanwhile.
        with self._indexes.writing():
            take_in([gap.version for gap in batch], new, self._publisher)
        taken.update({gap.version.id: gap.title for gap in batch})

    def _progress(self, following: NextModel, gaps: list[Gap]) -> Progress:
        total = sum(version.passages for version in self._catalogue.all_versions(INDEXED))
        total += sum(gap.version.passages for gap in gaps if gap.version.state is VersionState.PUBLISHING)
        left = sum(gap.version.passages for gap in gaps)
        done, now_s = total - left, time.monotonic()
        if self._begun[0] != following.asked_at:
            self._begun = following.asked_at, now_s, done
        _, since_s, before = self._begun
        eta_s = left * (now_s - since_s) / (done - before) if done > before else None
        problem = models.problem_of(self._catalogue, following)
        return Progress(
            name=following.choice.name,
            fingerprint=following.fingerprint,
            asked_at=following.asked_at,
            stage=self._stage,
            done=done,
            total=total,
            eta_s=None if problem else eta_s,
            problem=problem,
        )

    def _refuse_second(self, following: NextModel | None) -> None:
        if following is not None:
            raise WrongState(
                f"The library is being embedded with {following.choice.name}.",
                hint="Wait until that is done, or give it up: xuesi reindex --cancel",
            )

    def _refuse_without_room(self, embedder: Embedder) -> None:
        """A guess from what the vectors in force and both indexes take, by the length of a vector."""
        kept = sum(
            self._files.vector_bytes(v).get(self._indexes.fingerprint, 0) for v in self._catalogue.all_versions(INDEXED)
        )
        known = self._embedders.get(self._indexes.fingerprint)
        share = max(1.0, embedder.dimension / known.dimension) if known else 1.0
        needed, free = (
            int((kept + self._indexes.bytes()) * share) + _SPARE_BYTES,
            shutil.disk_usage(self._data_dir).free,
        )
        if free < needed:
            raise StorageFull(
                f"The vectors and indexes of {embedder.fingerprint} need about {needed / 1e6:.0f} MB beside those in force; {free / 1e6:.0f} MB are free in {self._data_dir}.",
                hint="Free some space, for instance with xuesi reindex --drop-old, or move the data folder.",
            )

    def _report(self, error: Exception) -> None:
        _log.warning(
            "The change of the embedding model does not get on: %s", error, exc_info=not isinstance(error, XuesiError)
        )
        try:
            following = models.next_model(self._catalogue)
            if following is not None:
                models.report_problem(self._catalogue, following, Problem.of(error))
        except XuesiError as unreported:
            _log.warning("That could not be reported: %s", unreported)


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise WrongState("The server stops.")
