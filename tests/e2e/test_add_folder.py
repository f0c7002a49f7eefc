"""A large folder comes in with a summary, may be interrupted, and goes on where it was."""

import fcntl
import json
import signal
import subprocess
from pathlib import Path

from tests.e2e.conftest import Program, clean_environment

_FILES = 250


def _folder(place: Path) -> Path:
    for number in range(_FILES):
        path = place / f"{number // 50}" / f"{number:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"第{number}号材料：调查研究要把情况摸清。", encoding="utf-8")
    (place / "0" / "loop").symlink_to(place)
    (place / "1" / "gone.txt").symlink_to(place / "nowhere.txt")
    (place / "2" / ".hidden.txt").write_text("不收", encoding="utf-8")
    return place


def test_an_interrupted_folder_goes_on_where_it_was(program: Program, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "材料")
    environment = clean_environment(XUESI_DATA_DIR=str(program.data_dir))
    with program.serving("--no-worker"):
        first = subprocess.Popen(
            ["env", "--default-signal=INT", *program.command, "add", str(folder), "--no-wait"], stderr=subprocess.PIPE, text=True, env=environment, cwd=program.cwd
        )  # fmt: skip
        assert first.stderr is not None
        fcntl.fcntl(
            first.stderr, fcntl.F_SETPIPE_SZ, 4096
        )  # it waits for whoever reads, and is not done before it is interrupted
        said = [first.stderr.readline() for _ in range(40)]
        first.send_signal(signal.SIGINT)
        rest = first.stderr.read()
        first.stderr.close()
        assert first.wait(60) == 130
        assert sum("queued" in line for line in said) == 39  # and the link that leads nowhere
        assert "run the same command again" in rest
        assert "Traceback" not in rest
        again = program.run("add", str(folder), "--no-wait")
        assert again.returncode == 1
        assert "gone.txt cannot be read" in again.stderr
        summary = next(line for line in again.stderr.splitlines() if " files: " in line)
        assert summary.startswith(f"{_FILES + 1} of {_FILES + 1} files: ")
        known = again.stderr.count("already there  ")
        assert 39 <= known < _FILES
        assert again.stderr.count("queued  ") == _FILES - known
        assert len(json.loads(program.run("list", "--json").stdout)) == _FILES
