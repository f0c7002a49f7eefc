"""How is an Office file opened that has a password? In a confined process; for DOCX, XLSX and PPTX, and the binary formats before them."""

from pathlib import Path
from typing import BinaryIO

import msoffcrypto
import olefile
from msoffcrypto.exceptions import DecryptionError, FileFormatError

from xuesi.core.errors import EncryptedDocument, UnreadableDocument

# With this one Excel locks what may be read and not changed, and opens it without asking.
_NO_PASSWORD = "VelvetSweatshop"  # noqa: S105


def unlock(path: Path, password: str | None, out: BinaryIO) -> bool:
    """Write the file without its encryption to `out`. False, and nothing written, if it has none.

    Raises:
        EncryptedDocument: If the password is missing or wrong, or the encryption is of a kind that is not supported.
        UnreadableDocument: If the file is damaged.
    """
    with path.open("rb") as file:
        try:
            olefile.OleFileIO(file)  # LibreOffice would take what is none for a plain text
            office = msoffcrypto.OfficeFile(file)
            if not office.is_encrypted():
                return False
        except FileFormatError:
            return False  # older than what is encrypted
        except DecryptionError as error:
            raise _locked(password) from error
        except MemoryError:
            raise
        except Exception as error:
            raise _damaged() from error
        try:
            check = {"verify_password": True} if office.format == "ooxml" else {}  # the others always do
            office.load_key(password=password or _NO_PASSWORD, **check)
            office.decrypt(out)
        except DecryptionError as error:
            raise _locked(password) from error
        except MemoryError:
            raise
        except Exception as error:
            raise _damaged() from error
    return True


def _locked(password: str | None) -> EncryptedDocument:
    return EncryptedDocument(
        "The Office file is encrypted, and the given password does not open it."
        if password
        else "The Office file is encrypted and opens only with a password.",
        hint="Give its password on the document's page or with --password-file (xuesi retry, xuesi add), or save a copy without one.",
    )


def _damaged() -> UnreadableDocument:
    return UnreadableDocument(
        "The file is damaged or cut off: it cannot be opened as an Office file.",
        hint="Get the file anew from its source.",
    )
