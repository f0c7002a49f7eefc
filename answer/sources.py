"""What does an answer read of the versions that it may cite? Each part at most once, and only when it is needed."""

from functools import cached_property

from xuesi.core.domain import Page, Version, VersionId
from xuesi.core.ports import Catalogue, Files, SentenceVectors


class Source:
    """One version, its text, pages and sentences."""

    def __init__(self, version_id: VersionId, *, catalogue: Catalogue, files: Files) -> None:
        self._id = version_id
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
        """Its sentences with their vectors."""
        return self._files.sentences(self.version)


class Sources:
    """The versions that one answer reads."""

    def __init__(self, catalogue: Catalogue, files: Files) -> None:
        self._catalogue = catalogue
        self._files = files
        self._read: dict[VersionId, Source] = {}

    def of(self, version_id: VersionId) -> Source:
        """The version's source, the same one for the whole answer."""
        if version_id not in self._read:
            self._read[version_id] = Source(version_id, catalogue=self._catalogue, files=self._files)
        return self._read[version_id]
