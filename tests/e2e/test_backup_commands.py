"""`xuesi backup` and `xuesi restore` as processes: beside a server, without one, and what they say when they cannot."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import Program

RULE = "# 档案借阅办法\n\n借阅期限为十五个工作日，到期需要继续使用的，应当办理续借。\n"
QUESTION = "档案借阅期限是多少天？"


@pytest.fixture
def elsewhere(program: Program, tmp_path: Path) -> Program:
    """Another installation, whose model is prepared."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "models").symlink_to(program.data_dir / "models")
    return replace(program, data_dir=folder)


def test_a_library_moves_to_another_folder(program: Program, elsewhere: Program, tmp_path: Path) -> None:
    rule = tmp_path / "档案借阅办法.md"
    rule.write_text(RULE, encoding="utf-8")
    live, still = tmp_path / "live.tar", tmp_path / "still.tar"
    with program.serving(XUESI_ADMIN_TOKEN="芝麻开门") as _:
        assert program.run("add", str(rule), XUESI_ADMIN_TOKEN="芝麻开门").returncode == 0
        before = json.loads(program.run("ask", QUESTION, "--json").stdout)
        refused = program.run("backup", str(live))
        assert (refused.returncode, live.exists()) == (77, False)
        done = program.run("backup", str(live), XUESI_ADMIN_TOKEN="芝麻开门")
        assert done.returncode == 0, done.stderr
        assert program.run("restore", str(live)).returncode == 78  # its data folder has an owner
    without = program.run("backup", str(still))
    assert without.returncode == 0, without.stderr
    assert stat.S_IMODE(still.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("*.tar*")) == ["live.tar", "still.tar"]

    restored = elsewhere.run("restore", str(live))
    assert restored.returncode == 0, restored.stderr
    assert "1 document," in restored.stdout
    after = json.loads(elsewhere.run("ask", QUESTION, "--json").stdout)
    assert after["citations"] == before["citations"]

    again = elsewhere.run("restore", str(still))
    assert again.returncode == 4
    assert "not empty" in again.stderr
    assert "Traceback" not in again.stderr


def test_what_cannot_be_backed_up_or_restored_is_said(elsewhere: Program, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    for arguments, code, says in (
        (("restore", str(tmp_path / "notes.txt")), 2, "no backup of Xuesi"),
        (("restore", str(tmp_path / "none.tar")), 2, "cannot be read"),
        (("backup", str(tmp_path)), 2, "is a folder"),
        (("backup", str(tmp_path / "x.tar")), 3, "There is no library"),
    ):
        ended = elsewhere.run(*arguments)
        assert (ended.returncode, says in ended.stderr) == (code, True), ended.stderr
        assert "Traceback" not in ended.stderr
    assert not (tmp_path / "x.tar").exists()
