"""Can a process that reads files do anything but read them? What is tried runs inside a real one, as the work of a zygote."""

import ctypes
import platform
import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ingest.apart import syscalls
from ingest.apart.limits import Limits
from ingest.apart.process import Apart, Ended
from ingest.apart.zygote import Tell

OUTPUTS = ("out",)


def prepare(given: Any) -> None:
    """The filter alone must hold too: `given` may ask for the audit hook to stay out."""
    if given == "without audit hook":
        from ingest.apart import confinement

        confinement._refuse = lambda event, arguments: None


def load(name: str) -> None:
    pass


def work(request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Limits, tell: Tell) -> None:
    said = globals()[f"try_{request['try']}"](request)
    outputs["out"].write(str(said).encode())


def _refused(action: Any) -> str:
    try:
        return f"done: {action()!r}"
    except (OSError, RuntimeError) as error:
        return f"refused: {error}"


def try_socket(request: dict[str, Any]) -> str:
    import socket

    return _refused(lambda: socket.create_connection(("127.0.0.1", request["port"])))


def try_socket_in_c(request: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.socket(2, 1, 0)
    return f"{made} {ctypes.get_errno()}"


def try_socket_by_number(request: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    return f"{libc.syscall(number, 2, 1, 0)} {ctypes.get_errno()}"


def try_program(request: dict[str, Any]) -> str:
    import subprocess

    return _refused(lambda: subprocess.run(["/bin/true"], check=True))


def try_program_in_c(request: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return f"{libc.system(b'touch ' + request['place'].encode())} {libc.fork()} {ctypes.get_errno()}"


def try_write(request: dict[str, Any]) -> str:
    return _refused(lambda: Path(request["place"]).write_text("x"))


def try_write_in_c(request: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    opened = libc.open(request["place"].encode(), 0o101, 0o600)
    return f"{opened} {libc.unlink(request['kept'].encode())} {libc.rename(request['kept'].encode(), b'/tmp/elsewhere')} {ctypes.get_errno()}"


def try_kill(request: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return f"{libc.kill(request['victim'], 9)} {ctypes.get_errno()}"


def try_threads(request: dict[str, Any]) -> str:
    import threading

    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    return str(done)


def try_memory(request: dict[str, Any]) -> str:
    try:
        return str(len(bytearray(request["bytes"])))
    except MemoryError:
        return "refused"


def try_slow_memory(request: dict[str, Any]) -> str:
    held = []
    while True:
        held.append(bytearray(b"x" * 5_000_000))
        ctypes.CDLL(None).usleep(10_000)


def try_more_limits(request: dict[str, Any]) -> str:
    import resource

    return _refused(lambda: resource.setrlimit(resource.RLIMIT_DATA, (10**12, 10**12)))


def try_abort(request: dict[str, Any]) -> str:
    ctypes.CDLL(None).abort()
    return "still here"


def try_long(request: dict[str, Any]) -> str:
    while True:
        ctypes.CDLL(None).usleep(1000)


def try_compute(request: dict[str, Any]) -> str:
    while True:
        pass


def try_large_output(request: dict[str, Any]) -> str:
    return "x" * 3_000_000


# The tests -----------------------------------------------------------------------------------------------------------


class Cell:
    def __init__(self, apart: Apart, folder: Path) -> None:
        self._apart, self._folder, self._count = apart, folder, 0

    def run(self, what: str, limits: Limits | None = None, watch: Any = None, **request: Any) -> tuple[Ended, str]:
        self._count += 1
        place = self._folder / str(self._count)
        place.mkdir()
        ended = self._apart.run(
            {"try": what, **request},
            folder=place,
            limits=limits or Limits(timeout_s=120, memory_mb=300),
            watch=watch or (lambda done, total: None),
        )
        return ended, (place / "out").read_text()


@pytest.fixture(scope="module", params=["", "without audit hook"])
def cell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    apart = Apart("tests.integration.test_confinement", request.param)
    yield Cell(apart, tmp_path_factory.mktemp("cell"))
    apart.close()


def hooked(cell: Cell) -> bool:
    return bool(cell._apart._given == "")


@pytest.mark.parametrize("what", ["socket_in_c", "socket_by_number"])
def test_no_socket_opens_below_python(cell: Cell, what: str) -> None:
    assert cell.run(what)[1] == "-1 13"


def test_no_connection_opens(cell: Cell, unused_listener: int) -> None:
    ended, said = cell.run("socket", port=unused_listener)
    assert ended.well
    assert said.startswith("refused")
    assert ("forbidden where files are read" in said) is hooked(cell)


@pytest.fixture
def unused_listener() -> Iterator[int]:
    """A port on which somebody listens: without confinement the connection succeeds."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_no_program_starts(cell: Cell, tmp_path: Path) -> None:
    assert cell.run("program")[1].startswith("refused")
    marker = tmp_path / "marker"
    assert cell.run("program_in_c", place=str(marker))[1].endswith("-1 13")
    assert not marker.exists()


def test_no_other_file_is_written_moved_or_deleted(cell: Cell, tmp_path: Path) -> None:
    kept, place = tmp_path / "kept", tmp_path / "new"
    kept.write_text("stays")
    assert cell.run("write", place=str(place))[1].startswith("refused")
    assert cell.run("write_in_c", place=str(place), kept=str(kept))[1] == "-1 -1 -1 13"
    assert kept.read_text() == "stays"
    assert not place.exists()


def test_no_other_process_is_ended(cell: Cell) -> None:
    import subprocess

    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        assert cell.run("kill", victim=victim.pid)[1] == "-1 13"
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_threads_still_start(cell: Cell) -> None:
    assert cell.run("threads")[1] == "[1]"


def test_memory_ends_where_it_was_set_and_cannot_be_raised(cell: Cell) -> None:
    assert cell.run("memory", bytes=700_000_000)[1] == "refused"
    assert cell.run("memory", Limits(memory_mb=900), bytes=700_000_000)[1] == "700000000"
    ended, _ = cell.run("slow_memory")
    assert (ended.limit, ended.signal) == ("memory", signal.SIGKILL)
    assert 300_000_000 < ended.peak_bytes < 450_000_000
    assert cell.run("more_limits")[1].startswith("refused")


def test_output_ends_where_it_was_set(cell: Cell) -> None:
    ended, said = cell.run("large_output", Limits(output_mb=1))
    assert not ended.well
    assert len(said) <= 1_000_000
    assert "File too large" in ended.log


@pytest.mark.parametrize("what", ["long", "compute"])
@pytest.mark.parametrize("limit", ["time", "silence"])
def test_time_ends_where_it_was_set(cell: Cell, what: str, limit: str) -> None:
    limits = Limits(timeout_s=0.5) if limit == "time" else Limits(silence_s=0.5)
    started = time.monotonic()
    ended, _ = cell.run(what, limits)
    assert (ended.limit, ended.signal) == (limit, signal.SIGKILL)
    assert time.monotonic() - started < 60


def test_what_the_watcher_raises_ends_the_work_at_once(cell: Cell) -> None:
    class Enough(Exception):
        pass

    def watch(done: int, total: int) -> None:
        raise Enough

    started = time.monotonic()
    with pytest.raises(Enough):
        cell.run("long", watch=watch)
    assert time.monotonic() - started < 60
    assert cell.run("threads")[0].well  # and the next piece of work is done


def test_a_crash_is_told_from_a_limit_and_its_place_is_logged(cell: Cell) -> None:
    ended, said = cell.run("abort")
    assert (ended.signal, ended.limit, said) == (signal.SIGABRT, "", "")
    assert "try_abort" in ended.log


def test_the_loss_of_the_zygote_is_an_end_like_any_other(cell: Cell) -> None:
    def watch(done: int, total: int) -> None:
        cell._apart._zygote.kill()  # type: ignore[union-attr]

    ended, _ = cell.run("long", watch=watch)
    assert not ended.well
    assert not ended.limit
    assert cell.run("threads")[0].well


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_ends_well_on_every_path(machine: str) -> None:
    """Jumps stay inside the program, and every path ends in a return: the kernel refuses anything else."""
    made = syscalls.program(machine, 4711)
    assert len(made) < 4096
    for at, (code, if_true, if_false, _) in enumerate(made):
        assert code in (0x20, 0x15, 0x35, 0x45, 0x06)
        if code in (0x15, 0x35, 0x45):
            assert at + 1 + max(if_true, if_false) < len(made)
    assert made[-1][0] == 0x06


def simulate(machine: str, *, number: int, dialect: int, arguments: tuple[int, ...] = ()) -> int:
    """What the filter answers, by a small interpreter of its language."""
    data = struct.pack("<iIQ6Q", number, dialect, 0, *(arguments + (0,) * 6)[:6])
    made, at, loaded = syscalls.program(machine, 4711), 0, 0
    while True:
        code, if_true, if_false, constant = made[at]
        at += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("<I", data, constant)
        elif code == 0x06:
            return constant
        else:
            fits = {0x15: loaded == constant, 0x35: loaded >= constant, 0x45: bool(loaded & constant)}[code]
            at += if_true if fits else if_false


ALLOW, REFUSE, KILL = 0x7FFF0000, 0x0005000D, 0x80000000
X86, ARM = 0xC000003E, 0xC00000B7


@pytest.mark.parametrize(
    ("machine", "dialect", "number", "arguments", "answer"),
    [
        ("x86_64", X86, 0, (), ALLOW),  # read
        ("x86_64", X86, 41, (), REFUSE),  # socket
        ("x86_64", X86, 257, (0, 0, 0), ALLOW),  # openat, reading
        ("x86_64", X86, 257, (0, 0, 0o1101), REFUSE),  # openat, writing
        ("x86_64", X86, 56, (0x3D0F00,), ALLOW),  # clone, a thread
        ("x86_64", X86, 56, (17,), REFUSE),  # clone, a process
        ("x86_64", X86, 234, (4711,), ALLOW),  # tgkill, itself
        ("x86_64", X86, 234, (1,), REFUSE),
        ("x86_64", X86, 302, (0, 2, 0), ALLOW),  # prlimit64, asking
        ("x86_64", X86, 302, (0, 2, 1 << 32), REFUSE),  # a pointer whose lower half is zero
        ("x86_64", X86, 41 + 0x40000000, (), KILL),  # x32
        ("x86_64", 0x40000003, 1, (), KILL),  # i386
        ("aarch64", ARM, 198, (), REFUSE),
        ("aarch64", ARM, 56, (0, 0, 0o2), REFUSE),
        ("aarch64", ARM, 56, (0, 0, 0), ALLOW),
        ("aarch64", ARM, 220, (17,), REFUSE),
        ("aarch64", ARM, 221, (), REFUSE),  # execve
        ("aarch64", X86, 0, (), KILL),
    ],
)
def test_the_filter_answers_by_call_and_arguments(
    machine: str, dialect: int, number: int, arguments: tuple[int, ...], answer: int
) -> None:
    assert simulate(machine, number=number, dialect=dialect, arguments=arguments) == answer
