"""How is a file that holds others taken apart? By a confined process that writes all members into one file; `UnpackingApart` is what the intake asks."""

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.apart.exchange import known_error
from ingest.apart.limits import Limits
from ingest.apart.process import Apart
from ingest.apart.reading import reason
from ingest.apart.zygote import Tell
from xuesi.core.disk import disk_errors
from xuesi.core.errors import ParserCrashed, UnreadableDocument, XuesiError

OUTPUTS = ("said.json", "members")
_LONGEST_NAME = 2_000


class _Problem(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str
    detail: str
    hint: str
    facts: dict[str, Any]


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    start: int = 0
    end: int = 0
    problem: _Problem | None = None


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")
    members: list[_Member] = []
    problem: _Problem | None = None


class UnpackingApart:
    """Takes files apart, one at a time. Safe to share among threads.

    Args:
        folder: Where what is unpacked lies until it is taken; nobody else's.
        limits: What unpacking one file may take.
        max_member_bytes: Largest member that is unpacked.
    """

    def __init__(self, folder: Path, limits: Limits, *, max_member_bytes: int) -> None:
        self._folder = folder
        self._limits = replace(limits, output_mb=limits.max_unpacked_mb + 1)
        self._max_member_bytes = max_member_bytes
        self._apart = Apart(__name__)
        shutil.rmtree(folder, ignore_errors=True)  # what a server left that was killed

    @contextlib.contextmanager
    def members(
        self, path: Path, *, kind: str, password: str | None
    ) -> Iterator[Iterator[tuple[str, BinaryIO | XuesiError]]]:
        """The members of the file at `path`, each with its bytes or the reason why there are none; to be read while the block lasts.

        Args:
            path: The file.
            kind: "zip" or "mail".
            password: Opens encrypted members.

        Raises:
            InvalidInput: If the file as a whole cannot be taken apart.
            TooMuchToRead: If a limit was reached.
            ParserCrashed: If the process died.
            StorageFull: If there is no space left.
        """
        with disk_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            request = {"path": str(path.absolute()), "kind": kind, "password": password, "most": self._max_member_bytes}
            ended = self._apart.run(request, folder=place, limits=self._limits, watch=lambda *_: None)
            if not ended.well:
                raise reason(ended, self._limits)
            with (place / "members").open("rb") as data:
                yield _given(_read_back(place), data)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def close(self) -> None:
        """End what is running and leave no file."""
        self._apart.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _read_back(place: Path) -> list[_Member]:
    """What the process says is checked, as in `ingest.apart.exchange`."""
    size = (place / "members").stat().st_size
    try:
        said = _Said.model_validate_json((place / "said.json").read_bytes())
        if any(not 0 <= it.start <= it.end <= size or len(it.name) > _LONGEST_NAME for it in said.members):
            raise ValueError("a member lies outside")  # noqa: TRY301 handled as what pydantic finds
        if said.problem:
            raise known_error(**said.problem.model_dump())
    except (ValidationError, ValueError, TypeError) as error:
        raise ParserCrashed(
            "What was unpacked from the file does not hold together.", hint="Tell an administrator."
        ) from error
    return said.members


def _given(members: list[_Member], data: BinaryIO) -> Iterator[tuple[str, BinaryIO | XuesiError]]:
    for member in members:
        if member.problem:
            yield member.name, known_error(**member.problem.model_dump())
        else:
            yield member.name, io.BufferedReader(_Piece(data, member.start, member.end))


class _Piece(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, data: BinaryIO, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As `io.RawIOBase.readinto`."""
        self._data.seek(self._at)
        piece = self._data.read(min(len(buffer), self._end - self._at))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


# In the zygote and the process that unpacks --------------------------------------------------------------------------


def prepare(given: Any) -> None:
    """Nothing: what is needed is loaded when the first file has come."""
    del given


def load(name: str) -> None:
    """Nothing more than `ingest.parcels` is needed, which the zygote has after the first file."""
    import ingest.parcels  # noqa: F401, PLC0415

    del name


def work(request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Limits, tell: Tell) -> None:
    """Unpack one file, and write its members or why there are none."""
    tell({"used": "parcels"})
    said = _Said()
    try:
        said.members.extend(_unpacked(request, outputs["members"], limits, tell))
    except XuesiError as error:
        said = _Said(problem=_problem(error))
    except (RecursionError, MemoryError):
        deep = UnreadableDocument("The file is nested deeper, or takes more memory, than any file of its kind.")
        said = _Said(problem=_problem(deep))
    outputs["said.json"].write(said.model_dump_json().encode())


def _unpacked(request: dict[str, Any], out: BinaryIO, limits: Limits, tell: Tell) -> Iterator[_Member]:
    from ingest.parcels import Most, members_of_mail, members_of_zip  # noqa: PLC0415 the server never loads it

    path, most = Path(request["path"]), Most(request["most"], limits.max_unpacked_mb * 1_000_000)
    members = (
        members_of_mail(path, most=most)
        if request["kind"] == "mail"
        else members_of_zip(path, password=request["password"], most=most)
    )
    for number, member in enumerate(members, start=1):
        start, problem = out.seek(0, os.SEEK_END), None
        try:
            out.writelines(member.pieces())
        except XuesiError as error:
            problem = _problem(error)
        tell({"done": number, "total": 0})
        yield _Member(name=member.name[-_LONGEST_NAME:], start=start, end=out.tell(), problem=problem)


def _problem(error: XuesiError) -> _Problem:
    return _Problem(code=error.code, detail=error.detail, hint=error.hint, facts=dict(error.facts))
