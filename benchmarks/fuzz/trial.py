"""How does one file end? Read as the worker does it, apart and confined, then cut and looked through, with a watch on time."""

import contextlib
import re
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.apart import reading as reading_apart
from ingest.apart.exchange import read_back
from ingest.apart.limits import Limits
from ingest.apart.office import OfficeApart
from ingest.apart.process import Apart
from ingest.apart.unpacking import UnpackingApart
from ingest.metadata import Metadata
from ingest.passages import cut
from ingest.signature import signature
from ingest.suggest import suggest
from xuesi.core.domain import VersionId
from xuesi.core.errors import ParserCrashed, TooMuchToRead, XuesiError
from xuesi.core.ports import Reading

LIMITS = Limits(timeout_s=90.0, silence_s=90.0, memory_mb=1_000, max_pages=1_000, max_unpacked_mb=100, output_mb=100)
_SLOW_S = 30.0  # of work on a file of a few hundred kilobytes; a picture of a page takes some seconds of it
_PARCELS = {".zip": "zip", ".eml": "mail"}
_OUR_FRAME = re.compile(r'File "[^"]*?((?:ingest|xuesi|site-packages)/[^"]+)", line (\d+), in (\S+)')


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failure` in words that are the same for the same trouble, empty for a good end; then `end` says which."""

    end: str
    failure: str = ""
    log: str = ""


class Trial:
    """Reads files one after the other; `folder` is for its use."""

    def __init__(self, folder: Path, limits: Limits = LIMITS) -> None:
        self._folder, self._limits = folder, limits
        self._apart = Apart(reading_apart.__name__)
        self._office = OfficeApart(limits, reading_apart.reason)
        self._unpack = UnpackingApart(folder / "unpacking", limits, max_member_bytes=limits.max_unpacked_mb * 1_000_000)

    def read(self, data: bytes, file_name: str) -> Outcome:
        """How the file ends."""
        path = self._folder / "file"
        path.write_bytes(data)
        place = Path(tempfile.mkdtemp(dir=self._folder))
        started = time.monotonic()
        try:
            with _watched(self._limits.timeout_s * 2):
                outcome = self._outcome(path, file_name, place)
        except Exception:  # noqa: BLE001 what the worker would not have foreseen either
            outcome = Outcome("", f"in the worker: {_where(traceback.format_exc())}", traceback.format_exc())
        finally:
            shutil.rmtree(place)
        took_s = time.monotonic() - started
        if not outcome.failure and took_s > _SLOW_S:
            return Outcome("", "slow", f"{took_s:.1f} s, then {outcome.end}")
        return outcome

    def _outcome(self, path: Path, file_name: str, place: Path) -> Outcome:
        try:
            if kind := _PARCELS.get(Path(file_name).suffix):
                failed = self._unpacked(path, kind)
                if failed or kind == "zip":
                    return failed or Outcome("unpacked")
            opened = self._office.opened(path, file_name, password=None, place=place, watch=lambda _done, _total: None)
        except ParserCrashed as error:
            return Outcome("", f"crashed: {error}", traceback.format_exc())
        except XuesiError as error:
            return _refused(error)
        request = {"path": str(opened.path), "file_name": opened.file_name, "password": None}
        place = Path(tempfile.mkdtemp(dir=place))
        ended = self._apart.run(request, folder=place, limits=self._limits, watch=lambda _done, _total: None)
        if ended.limit:
            return Outcome("", f"limit: {ended.limit}", ended.log)
        if not ended.well:
            why = _where(ended.log) if ended.code is not None else str(ended)
            return Outcome("", f"in the reader: {why}", ended.log)
        try:
            _after(read_back(place, self._limits))
        except ParserCrashed:
            return Outcome("", f"what was read: {_where(traceback.format_exc())}", traceback.format_exc())
        except XuesiError as error:
            return _refused(error)
        return Outcome("read")

    def _unpacked(self, path: Path, kind: str) -> Outcome | None:
        """Take the file apart as the intake does; None where each member has its bytes, or a reason in words for a person."""
        with self._unpack.members(path, kind=kind, password=None) as members:
            for _, member in members:
                if not isinstance(member, XuesiError):
                    member.read()
                elif (outcome := _refused(member)).failure:
                    return outcome
        return None

    def close(self) -> None:
        """End the processes."""
        self._apart.close()
        self._office.close()
        self._unpack.close()


def _refused(error: XuesiError) -> Outcome:
    if isinstance(error, TooMuchToRead) and error.facts.get("limit") not in ("pages", "unpacked"):
        return Outcome("", f"limit: {error.facts.get('limit')}", str(error))
    if not error.detail.endswith(".") or not error.hint.endswith("."):
        return Outcome("", f"no words for a person: {error.code}", str(error))
    return Outcome(error.code)


def _after(reading: Reading) -> None:
    """What the worker does with a reading before it embeds."""
    passages = cut(
        reading,
        VersionId("v"),
        max_chars=380,
        count_tokens=lambda texts: [len(text) for text in texts],
        max_tokens=512,
        title="",
    )
    assert all(passage.text == passage.span.of(reading.text) for passage in passages)
    suggest(reading)
    signature(reading.text)
    Metadata.parse({"title": reading.properties.get("title", "")[:100] or "x"})


@contextlib.contextmanager
def _watched(seconds: float) -> Iterator[None]:
    """Raise TimeoutError where the block takes longer."""

    def late(_number: int, _frame: Any) -> None:
        raise TimeoutError("too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _where(log: str) -> str:
    """The kind of the last exception in a log, and where it was raised."""
    kinds = re.findall(r"^([A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Iteration|Zip\w*))\b", log, re.MULTILINE)
    frames = _OUR_FRAME.findall(log)
    place = " ".join(frames[-1]) if frames else ""
    return f"{kinds[-1] if kinds else 'Fatal'} at {place}"
