"""How is the library embedded with a model that is to take the place of the present one? In the background, a version at a time.

What a version lacks is seen from its files, so whoever is interrupted, killed too, goes on with the first version that is not complete. Jobs
go before: while one waits or runs, this waits between two batches. Several workers share the work.
"""

import logging
import threading
import time
from collections.abc import Callable

from ingest.lease import Left
from ingest.pipeline import embed_version
from xuesi.core.errors import NotFound, VersionNotFound, XuesiError
from xuesi.core.models import Gap, Gaps, NextModel, Problem, next_model, report_problem
from xuesi.core.ports import Catalogue, Embedder, Files

_log = logging.getLogger("xuesi.filling")
_PAUSE_S = 1.0
_PAUSES_AFTER_ERROR_S = (2.0, 10.0, 30.0)
_LOOK_S = 0.5


class _Failed(Exception):
    """A version could not be embedded, for the reason that is this exception's cause."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.title)
        self.gap = gap


class Filler:
    """Fills what versions lack of the model that is being prepared."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: Files,
        embedder_of: Callable[[NextModel], Embedder],
        batch: int,
        busy: Callable[[], bool],
        stopping: threading.Event,
    ) -> None:
        """`embedder_of` opens a model, `busy` says whether something more urgent is to be done, `stopping` ends the work at its next step."""
        self._catalogue = catalogue
        self._files = files
        self._gaps = Gaps(catalogue, files)
        self._embedder_of = embedder_of
        self._batch = batch
        self._busy = busy
        self._stopping = stopping
        self._errors = 0
        self._avoided: dict[str, float] = {}  # versions over which the model failed, and when they may be tried again

    def run_forever(self) -> None:
        """Fill whatever lacks until told to stop. An error is reported, and the work tried again after a while, later each time."""
        while not self._stopping.is_set():
            pause_s = _PAUSE_S
            try:
                if self.step():
                    pause_s = 0.0
            except Left:
                continue
            except Exception as error:  # noqa: BLE001 the thread must outlive whatever went wrong, or the change would never end
                pause_s = self._failed(error)
            self._stopping.wait(pause_s)

    def step(self) -> int:
        """Fill what lacks now.

        Returns:
            How many versions were filled.

        Raises:
            XuesiError: If the model cannot be opened, or the catalogue does not answer.
            _Failed: If a version could not be embedded; the next calls go on with the others.
            Left: If the worker is to stop, or another model or none is wanted by now.
        """
        following = next_model(self._catalogue)
        if following is None:
            self._errors, self._avoided = 0, {}
            return 0
        filled = 0
        for gap in self._tried_now(self._gaps.in_library(following)):
            self._wait_for_jobs(following)
            filled += self._fill(gap, following)
        return filled

    def _tried_now(self, gaps: list[Gap]) -> list[Gap]:
        now = time.monotonic()
        return [gap for gap in gaps if self._avoided.get(gap.version.id, 0.0) <= now]

    def _fill(self, gap: Gap, following: NextModel) -> bool:
        with self._files.filling(gap.version) as mine:
            if not mine or not self._gaps.lacks(gap, following):
                return False
            embedder = self._embedder_of(following)
            try:
                embed_version(
                    gap.version,
                    catalogue=self._catalogue,
                    files=self._files,
                    embedder=embedder,
                    batch=self._batch,
                    progress=lambda *_: self._wait_for_jobs(following),
                )
            except NotFound:
                _log.info("Version %s was removed while it was embedded.", gap.version.id)
            except Left:
                raise
            except Exception as error:
                raise _Failed(gap) from error
            finally:
                self._clear_if_purged(gap)
        self._errors = 0
        report_problem(self._catalogue, following, None)
        return True

    def _clear_if_purged(self, gap: Gap) -> None:
        """Nobody else would delete what was written after the version's files were."""
        try:
            self._catalogue.version_by_id(gap.version.id)
        except VersionNotFound:
            if not self._catalogue.deleted({gap.version.document_id}):
                self._files.remove(gap.version)
                self._files.remove_original(gap.version.sha256, wanted=self._catalogue.has_original)

    def _wait_for_jobs(self, following: NextModel) -> None:
        """Raises Left."""
        while True:
            if self._stopping.is_set() or next_model(self._catalogue) != following:
                raise Left
            if not self._busy():
                return
            self._stopping.wait(_LOOK_S)

    def _failed(self, error: Exception) -> float:
        """Report it; how long to wait, in seconds."""
        about = ""
        if isinstance(error, _Failed) and isinstance(error.__cause__, Exception):
            about, cause = f"“{error.gap.title}”, version {error.gap.version.number}", error.__cause__
            self._avoided[error.gap.version.id] = time.monotonic() + _PAUSES_AFTER_ERROR_S[-1]
        else:
            cause = error
        _log.warning(
            "Embedding in the background does not get on. %s %s",
            about,
            cause,
            exc_info=not isinstance(cause, XuesiError),
        )
        try:
            following = next_model(self._catalogue)
            if following is not None:
                report_problem(self._catalogue, following, Problem.of(cause, about=about))
        except XuesiError as unreported:
            _log.warning("That could not be reported: %s", unreported)
        pause_s = _PAUSES_AFTER_ERROR_S[min(self._errors, len(_PAUSES_AFTER_ERROR_S) - 1)]
        self._errors += 1
        return pause_s
