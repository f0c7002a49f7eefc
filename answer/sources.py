"""What does an answer read of the versions that it may cite? Each part at most once, and only when it is needed."""

import logging
from functools import cached_property

import numpy as np

from xuesi.core.domain import Page, Version, VersionId
from xuesi.core.errors import Corrupt, VersionNotFound
from xuesi.core.ports import Catalogue, Files, SentenceVectors

_log = logging.getLogger("xuesi.answer")
_NONE = SentenceVectors(np.empty((0, 2), np.int32), np.empty(0, np.int32), np.empty((0, 0), np.float16))


class Source:
    """One version, its text, pages and sentences."""

    def __init__(self, version_id: VersionId, *, catalogue: Catalogue, files: Files, fingerprint: str) -> None:
        self._id = version_id
        self._fingerprint = fingerprint
        self._catalogue = catalogue
        self._files = files

    @cached_property
    def version(self) -> Version:
        """The version. Raises VersionNotFound."""
        return self._catalogue.version_by_id(self._id)

    @cached_property
    def text(self) -> str:
        """Its canonical text."""
        return self._files.text(self.version)

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """Its pages in order."""
        return tuple(self._catalogue.pages(self._id))

    @cached_property
    def sentences(self) -> SentenceVectors:
        """Its sentences with their vectors; none where these are lost, so that one damaged document does not silence the others."""
        try:
            return self._files.sentences(self.version, self._fingerprint)
        except Corrupt as error:
            _log.warning("Version %s is answered from by its words only: %s", self._id, error)
            return _NONE


class Sources:
    """The versions that one answer reads. `fingerprint` is that of the model by whose vectors they were found."""

    def __init__(self, catalogue: Catalogue, files: Files, *, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        self._catalogue = catalogue
        self._files = files
        self._read: dict[VersionId, Source] = {}

    def of(self, version_id: VersionId) -> Source:
        """The version's source, the same one for the whole answer."""
        if version_id not in self._read:
            self._read[version_id] = Source(
                version_id, catalogue=self._catalogue, files=self._files, fingerprint=self._fingerprint
            )
        return self._read[version_id]

    def has(self, version_id: VersionId) -> bool:
        """Whether the version is still there: a document may be removed while it is asked."""
        try:
            return bool(self.of(version_id).version)
        except VersionNotFound:
            return False
