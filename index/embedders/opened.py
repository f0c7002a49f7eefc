"""Which embedders does the library need now? The one in force, and the one that is being prepared, each opened once.

Which these are, the catalogue says, and that changes while a worker works.
"""

import logging
import threading
from collections.abc import Callable

from xuesi.core import models
from xuesi.core.errors import IndexMismatch, Misconfigured
from xuesi.core.models import Choice, NextModel
from xuesi.core.ports import Catalogue, Embedder
from xuesi.core.settings import Settings

_log = logging.getLogger("xuesi.models")


class OpenedModels:
    """The embedders of one library. Safe to share among threads."""

    def __init__(self, settings: Settings, catalogue: Catalogue, *, open_model: Callable[[Settings], Embedder]) -> None:
        """`open_model` opens the embedder of the settings."""
        self._settings = settings
        self._catalogue = catalogue
        self._open_model = open_model
        self._opened: dict[str, Embedder] = {}
        self._lock = threading.Lock()

    def in_force(self) -> Embedder:
        """The one whose vectors the indexes hold; in a new library that of the settings.

        Raises:
            Misconfigured, ModelUnavailable: As `open_model`.
            IndexMismatch: If the indexes were made by another model.
        """
        return self._get(models.fingerprint_in_force(self._catalogue), self._open_in_force)

    def following(self, model: NextModel) -> Embedder:
        """The one that is being prepared.

        Raises:
            Misconfigured, ModelUnavailable: As `open_model`.
            IndexMismatch: If it is not what it was when that began.
        """
        return self._get(model.fingerprint, lambda: self._open_following(model))

    def chosen(self, choice: Choice) -> Embedder:
        """Any one, which is not kept open here. Raises as `open_model`."""
        return self._open_model(models.settings_of(choice, self._settings))

    def forget_unneeded(self) -> None:
        """Let go of the memory of models that are neither in force nor being prepared."""
        following = models.next_model(self._catalogue)
        needed = {models.fingerprint_in_force(self._catalogue), following and following.fingerprint}
        with self._lock:
            self._opened = {key: it for key, it in self._opened.items() if key in needed}

    def _get(self, fingerprint: str | None, opening: Callable[[], Embedder]) -> Embedder:
        if len(self._opened) > 1:
            self.forget_unneeded()
        with self._lock:
            if fingerprint in self._opened:
                return self._opened[fingerprint]
            embedder = opening()
            self._opened[embedder.fingerprint] = embedder
            return embedder

    def _open_following(self, model: NextModel) -> Embedder:
        embedder = self.chosen(model.choice)
        if embedder.fingerprint != model.fingerprint:
            raise IndexMismatch(
                f"The embedding model {model.choice.name} was {model.fingerprint} when the change to it began, and is {embedder.fingerprint} now.",
                hint="Give the change up and begin it again: xuesi reindex --cancel",
            )
        return embedder

    def _open_in_force(self) -> Embedder:
        settings = self._settings
        own = models.settings_in_force(settings, self._catalogue)
        if own.embedding_model != settings.embedding_model and "embedding_model" in settings.model_fields_set:
            _log.warning(
                "The library goes by the embedding model %s, which was chosen for it; embedding_model=%s is not used.",
                own.embedding_model,
                settings.embedding_model,
            )
        try:
            embedder = self._open_model(own)
        except Misconfigured as error:
            if own is settings:
                raise
            raise Misconfigured(
                f"The embedding model that was chosen for the library cannot be opened. {error.detail}",
                hint="If it lies elsewhere now, set embedding_model to that place; or embed the library anew: xuesi reindex --model NAME",
            ) from error
        known = models.fingerprint_in_force(self._catalogue)
        if known not in (None, embedder.fingerprint):
            raise IndexMismatch(
                f"The index in {settings.data_dir} was made by the embedding model {known}; embedding_model={own.embedding_model} is {embedder.fingerprint}.",
                hint=f"Set XUESI_EMBEDDING_MODEL to the model of the index, or run: xuesi reindex --model {own.embedding_model}",
            )
        return embedder
