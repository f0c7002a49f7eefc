"""What can go wrong, and what can be done about it? Every error of Xuesi, without a word of HTTP.

    XuesiError
    ├ InvalidInput
    │ ├ EmptyQuestion · QuestionTooLong · EmptyFile · UnsupportedFormat · DocumentTooLarge · EncryptedDocument
    │ └ UnreadableDocument · NoText · TooMuchToRead · UnsafeUrl · UnusableBackup
    ├ NotFound              DocumentNotFound · VersionNotFound · PassageNotFound · PageNotFound · JobNotFound · NearDuplicateNotFound
    ├ Conflict              DuplicateDocument · IndexMismatch · NewerCatalogue · WrongState
    ├ Forbidden             TokenRequired
    ├ LimitReached
    ├ Unavailable           StoreUnavailable · ModelUnavailable · ParserCrashed · RendererUnavailable · StorageFull   (retryable)
    ├ Corrupt               IndexCorrupt · CitationBroken · FileMissing
    └ Misconfigured         PortInUse · DataFolderBusy · DataFolderReadOnly          raised at start-up only

`code` is a stable slug and the last part of the error's page, /errors/<code>; `title` never changes for a class; `detail` says what
happened to what; `hint` says what the reader can do. Facts stand as fields in `facts`.
"""

from typing import Any, ClassVar


class XuesiError(Exception):
    """Base of all. Not raised itself."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, hint: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}".strip()


class InvalidInput(XuesiError):
    """What was given cannot be used."""

    code = "invalid-input"
    title = "The input cannot be used"


class EmptyQuestion(InvalidInput):
    """A question or query without a letter or digit."""

    code = "empty-question"
    title = "The question is empty"


class QuestionTooLong(InvalidInput):
    """A question or query over the limit."""

    code = "question-too-long"
    title = "The question is too long"


class EmptyFile(InvalidInput):
    """A file of zero bytes."""

    code = "empty-file"
    title = "The file is empty"


class UnsupportedFormat(InvalidInput):
    """A file whose format is not read, or whose content is not what its name says."""

    code = "unsupported-format"
    title = "The file's format is not supported"


class DocumentTooLarge(InvalidInput):
    """A file over `max_file_mb`."""

    code = "document-too-large"
    title = "The file is too large"


class EncryptedDocument(InvalidInput):
    """A file that opens only with a password which was not given or is wrong."""

    code = "encrypted-document"
    title = "The file is encrypted"


class UnreadableDocument(InvalidInput):
    """A damaged or truncated file, or one that breaks its own format."""

    code = "unreadable-document"
    title = "The file cannot be read"


class NoText(InvalidInput):
    """A file that opens but holds no text: no pages, only images, only unreadable characters."""

    code = "no-text"
    title = "The file holds no text"


class TooMuchToRead(InvalidInput):
    """A file that takes more time, memory, pages or unpacked size to read than the settings allow; `limit` says which."""

    code = "too-much-to-read"
    title = "The file takes more to read than is allowed"


class UnsafeUrl(InvalidInput):
    """An address that is not fetched: private, loopback, or no http(s)."""

    code = "unsafe-url"
    title = "The address is not fetched"


class UnusableBackup(InvalidInput):
    """A file that is no backup of Xuesi, or one that is cut off, damaged, or of a form that this program does not know."""

    code = "unusable-backup"
    title = "The backup cannot be restored"


class NotFound(XuesiError):
    """Something named does not exist, or no longer."""

    code = "not-found"
    title = "Not found"


class DocumentNotFound(NotFound):
    """No such document."""

    code = "document-not-found"
    title = "There is no such document"


class VersionNotFound(NotFound):
    """No such version of the document."""

    code = "version-not-found"
    title = "There is no such version"


class PassageNotFound(NotFound):
    """No such passage."""

    code = "passage-not-found"
    title = "There is no such passage"


class PageNotFound(NotFound):
    """No such page, or one that cannot be shown as an image."""

    code = "page-not-found"
    title = "There is no such page"


class NearDuplicateNotFound(NotFound):
    """The two documents are not nearly the same, or that is settled."""

    code = "near-duplicate-not-found"
    title = "There is no such pair of near duplicates"


class JobNotFound(NotFound):
    """No such job."""

    code = "job-not-found"
    title = "There is no such job"


class Conflict(XuesiError):
    """What was asked contradicts what is there."""

    code = "conflict"
    title = "This conflicts with what is there"


class DuplicateDocument(Conflict):
    """The same bytes are in the library already; `document_id` says where."""

    code = "duplicate-document"
    title = "The file is in the library already"


class IndexMismatch(Conflict):
    """The index was made by another embedding model."""

    code = "index-mismatch"
    title = "The index belongs to another embedding model"


class NewerCatalogue(Conflict):
    """The catalogue was written by a newer program."""

    code = "newer-catalogue"
    title = "The catalogue is newer than the program"


class WrongState(Conflict):
    """The thing is not in a state in which this can be done (retrying a job that is running, say)."""

    code = "wrong-state"
    title = "This cannot be done now"


class Forbidden(XuesiError):
    """The caller may not do this."""

    code = "forbidden"
    title = "This is not allowed"


class TokenRequired(Forbidden):
    """A write without the administrator's token, or with a wrong one."""

    code = "token-required"
    title = "The administrator's token is needed"


class LimitReached(XuesiError):
    """Too much at once."""

    code = "limit-reached"
    title = "A limit is reached"
    retryable = True


class Unavailable(XuesiError):
    """A part that is needed does not answer; the same call may work later."""

    code = "unavailable"
    title = "A part of the system does not answer"
    retryable = True


class StoreUnavailable(Unavailable):
    """The catalogue, an index or the queue does not answer."""

    code = "store-unavailable"
    title = "The store does not answer"


class ModelUnavailable(Unavailable):
    """A model server does not answer, or answers nonsense."""

    code = "model-unavailable"
    title = "The model does not answer"


class ParserCrashed(Unavailable):
    """The process that read a file, or the worker, died over it."""

    code = "parser-crashed"
    title = "Reading the file failed"


class RendererUnavailable(Unavailable):
    """The process that draws pages died or ran out of its time."""

    code = "renderer-unavailable"
    title = "The page cannot be drawn now"


class StorageFull(Unavailable):
    """No space is left in the data folder."""

    code = "storage-full"
    title = "The data folder is full"


class Corrupt(XuesiError):
    """Stored data contradict each other."""

    code = "corrupt"
    title = "Stored data are damaged"


class IndexCorrupt(Corrupt):
    """An index cannot be opened or read; names the folder."""

    code = "index-corrupt"
    title = "An index is damaged"


class CitationBroken(Corrupt):
    """A quote does not equal the text at its span."""

    code = "citation-broken"
    title = "A citation does not match its source"


class FileMissing(Corrupt):
    """A stored file that the catalogue names is not there."""

    code = "file-missing"
    title = "A stored file is missing"


class Misconfigured(XuesiError):
    """The program cannot start as it is set up. Names the setting, where its value comes from and what is allowed."""

    code = "misconfigured"
    title = "The configuration cannot be used"


class PortInUse(Misconfigured):
    """The port is taken."""

    code = "port-in-use"
    title = "The port is in use"


class DataFolderBusy(Misconfigured):
    """Another process owns the data folder."""

    code = "data-folder-busy"
    title = "The data folder is in use by another process"


class DataFolderReadOnly(Misconfigured):
    """The data folder cannot be written."""

    code = "data-folder-read-only"
    title = "The data folder cannot be written"
