"""How does an Office file of an old kind, or under a password, become one that a reader reads?

A password is taken off by a confined process. What is then in a binary format of before 2007 (DOC, XLS, PPT and what WPS Office writes) is saved in the
one that came after it by LibreOffice, where that is installed: a program of its own, with a profile that is thrown away, without macros and without
links followed, which can open no connection and is ended when it takes too long (`ingest.apart.program`). The reader then reads the copy, confined as
ever; what is kept and shown as the original is the file that was given.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from time import monotonic, sleep

from ingest.apart.exchange import read_error
from ingest.apart.limits import Limits
from ingest.apart.process import ROOT, Apart, Ended, Watch
from ingest.formats import OLE, old_office, soffice
from xuesi.core.errors import TooMuchToRead, UnreadableDocument, XuesiError

CONVERTED = "The file is in an old Office format; what LibreOffice made of it was read."
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ingest.apart.program import main; main()"
_LOOK_S = 0.2
_NEVER = {
    "Office.Common/Security/Scripting": {"MacroSecurityLevel": 3, "DisableMacrosExecution": True, "BlockUntrustedRefererLinks": True},
    "Office.Writer/Content/Update": {"Link": 0},  # never; 1 would ask, 2 always
    "Office.Calc/Content/Update": {"Link": 1},  # never; 0 would be always, 2 ask
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that a reader reads: itself, or a copy; `notes` say what was done."""

    path: Path
    file_name: str
    notes: tuple[str, ...] = ()


class OfficeApart:
    """Opens Office files, one at a time."""

    def __init__(self, limits: Limits, reason: Callable[[Ended, Limits], XuesiError]) -> None:
        """`reason` tells the error for a process that did not do its work."""
        self._limits = replace(limits, output_mb=limits.max_unpacked_mb)
        self._reason = reason
        self._apart = Apart("ingest.apart.unlocking")

    def opened(self, path: Path, file_name: str, *, password: str | None, place: Path, watch: Watch) -> Opened:
        """The file itself if it needs nothing done, else a copy in the folder `place`.

        Raises:
            EncryptedDocument: If it needs a password that was not given or is wrong.
            UnsupportedFormat: If LibreOffice is needed and is not installed.
            UnreadableDocument: If LibreOffice cannot open it.
            TooMuchToRead: If a limit was reached.
            ParserCrashed: If a process died.
        """
        if not _is_ole(path):
            return Opened(path, file_name)
        unlocked = self._unlocked(path, password, place, watch)
        if not _is_ole(unlocked):
            return Opened(unlocked, file_name)
        found = old_office(unlocked, file_name)
        made = self._converted(unlocked, found.becomes, place, watch)
        return Opened(made, f"{file_name}.{found.becomes}", (CONVERTED,))

    def close(self) -> None:
        """End what is running."""
        self._apart.close()

    def _unlocked(self, path: Path, password: str | None, place: Path, watch: Watch) -> Path:
        folder = place / "unlocking"
        folder.mkdir()
        request = {"path": str(path.absolute()), "password": password}
        ended = self._apart.run(request, folder=folder, limits=self._limits, watch=watch)
        if not ended.well:
            raise self._reason(ended, self._limits)
        if (error := read_error(folder)) is not None:
            raise error
        return folder / "unlocked" if (folder / "unlocked").stat().st_size else path

    def _converted(self, path: Path, becomes: str, place: Path, watch: Watch) -> Path:
        source, made = place / "source", place / "made"
        made.mkdir()
        shutil.copyfile(path, source)  # beside the original it would leave a lock file
        _write_profile(place / "profile" / "user")
        command = [
            str(soffice()), "--headless", "--norestore", "--nologo", "--nodefault", "--nofirststartwizard", "--nolockcheck",
            f"-env:UserInstallation={(place / 'profile').absolute().as_uri()}", "--convert-to", becomes, "--outdir", str(made.absolute()),
            str(source.absolute()),
        ]  # fmt: skip
        self._run(command, place, watch)
        result = made / f"source.{becomes}"
        if not result.is_file():
            raise UnreadableDocument(
                "LibreOffice cannot open the file: it is damaged, or in none of the old Office formats.",
                hint=f"Open it in the program that made it, save it as {becomes.upper()}, and add that.",
            )
        return result

    def _run(self, command: list[str], place: Path, watch: Watch) -> None:
        begun = monotonic()
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 the program that the administrator installed, under our limits
                [sys.executable, "-P", "-B", "-c", _START, str(ROOT), json.dumps(asdict(self._limits)), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=place,
                env=_environment(place),
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                watch(0, 0)
                sleep(_LOOK_S)
                if monotonic() - begun > self._limits.convert_s:
                    raise TooMuchToRead(
                        f"LibreOffice took longer than {self._limits.convert_s:g} s for the file (setting convert_timeout_s) and was stopped.",
                        hint="Open it in the program that made it, save it in a newer format, and add that.",
                        limit="time",
                    )
        finally:
            _kill(process)


@cache
def _profile() -> str:
    """The settings of LibreOffice under which nothing in a document runs or is fetched."""
    lines = [
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse"><value>{str(value).lower()}</value></prop></item>'
        for path, properties in _NEVER.items()
        for name, value in properties.items()
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        + "\n".join(lines)
        + "\n</oor:items>\n"
    )


def _write_profile(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "registrymodifications.xcu").write_text(_profile(), encoding="utf-8")


def _environment(place: Path) -> dict[str, str]:
    """Nothing of this process's but where programs are: no secrets, no display, no proxy."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place.absolute()),
        "TMPDIR": str(place.absolute()),
        "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """It and the processes that it started, which are of one group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_ole(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(OLE)) == OLE
