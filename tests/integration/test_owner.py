"""Who owns the data folder, and what does whoever comes second find?"""

import json
import sys
import threading
import time
from pathlib import Path

import filelock
import pytest

from index import owner
from index.owner import ADDRESS, LOCK, owned, owner_url, withdraw
from tests.small_disk import on_a_small_disk
from xuesi.core.errors import DataFolderBusy, DataFolderReadOnly

_URL = "http://127.0.0.1:8123"
_ON_A_FULL_DISK = """
import json, sys
from pathlib import Path
from index.owner import owned
from xuesi.core.errors import XuesiError
folder = Path(sys.argv[1])
with (folder / "other").open("wb", buffering=0) as other:
    try:
        while True:
            other.write(bytes(4096))
    except OSError:
        pass
try:
    with owned(folder, url="http://127.0.0.1:8123"):
        print(json.dumps("owned"))
except XuesiError as error:
    print(json.dumps([error.code, error.hint]))
"""


def test_the_address_is_there_as_long_as_the_owner(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    assert owner_url(folder) is None
    assert not folder.exists()  # looking makes nothing
    with owned(folder, url=_URL):
        assert owner_url(folder) == _URL
        with pytest.raises(DataFolderBusy), owned(folder):
            pass
        assert owner_url(folder) == _URL  # whoever was refused has taken nothing away
    assert not (folder / ADDRESS).exists()
    assert owner_url(folder) is None
    with owned(folder):
        pass


def test_the_address_of_a_killed_owner_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ADDRESS).write_text(json.dumps({"url": _URL, "pid": 1}), encoding="utf-8")
    assert owner_url(tmp_path) is None
    monkeypatch.setattr(owner, "_ADDRESS_S", 0.1)
    with owned(tmp_path):
        assert owner_url(tmp_path) == ""  # owned, and not served


def test_whoever_finds_an_owner_that_ends_waits_for_the_folder(tmp_path: Path) -> None:
    ended = threading.Event()

    def end() -> None:
        with owned(tmp_path, url=_URL):
            withdraw(tmp_path)
            begun.set()
            time.sleep(0.5)
            ended.set()

    begun = threading.Event()
    ending = threading.Thread(target=end)
    ending.start()
    assert begun.wait(30)
    assert owner_url(tmp_path) is None
    assert ended.is_set()
    ending.join()


def test_a_look_keeps_nobody_from_owning(tmp_path: Path) -> None:
    looking = threading.Event()

    def look() -> None:
        with filelock.FileLock(tmp_path / LOCK):
            looking.set()
            time.sleep(0.2)

    look_ = threading.Thread(target=look)
    look_.start()
    assert looking.wait(30)
    with owned(tmp_path):
        look_.join()


def test_a_full_disk_is_no_want_of_rights(tmp_path: Path) -> None:
    code, hint = on_a_small_disk(tmp_path, _ON_A_FULL_DISK)
    assert code == "storage-full"
    assert "Free some space" in hint


@pytest.mark.skipif(sys.platform != "linux", reason="/sys refuses every user on Linux only")
def test_a_folder_that_cannot_be_written_is_said() -> None:
    with pytest.raises(DataFolderReadOnly, match="cannot be written"), owned(Path("/sys/xuesi"), url=_URL):
        pass
