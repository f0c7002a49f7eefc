"""The command as a process: beside a running server and without one, and what bad luck makes of it."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Program, clean_environment, until

RULE = """# 档案借阅办法

## 一、借阅手续

借阅档案应当填写借阅登记表，由所在处室负责人签字后交档案室。

借阅期限为十五个工作日，到期需要继续使用的，应当办理续借。

## 二、责任

遗失档案的，应当在三日内书面报告档案室，并说明经过。
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "档案借阅办法.md"
    path.write_text(RULE, encoding="utf-8")
    return path


def test_life_of_a_document_beside_a_server_and_a_worker_that_load_no_torch(program: Program, rule: Path) -> None:
    with program.serving() as url:
        _life_of_a_document(program, rule, url)
        for process in (program.server(), program.worker()) if sys.platform == "linux" else ():
            loaded = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
            assert set(re.findall(r"lib(?:openvino|torch)", loaded)) == {"libopenvino"}, process.cmdline()


def _life_of_a_document(program: Program, rule: Path, url: str) -> None:
    added = program.run(
        "add", str(rule), "--kind", "regulation", "--issuer", "档案室", "--date", "2024-05-01", "--topic", "档案"
    )
    assert added.returncode == 0, added.stderr
    assert "live" in added.stderr

    again = program.run("add", str(rule))
    assert again.returncode == 0
    assert re.search(rf"already there  {re.escape(str(rule))}  \(xuesi show [0-9a-f-]{{36}}\)", again.stderr)

    archive = rule.with_name("含空文件.zip")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("空.txt", b"")
    inside = program.run("add", str(rule), "http://127.0.0.1:9/a.md", "file:///etc/passwd", str(archive))
    assert inside.returncode == 1
    assert "http://127.0.0.1:9/a.md: 127.0.0.1 is not in the public internet" in inside.stderr
    assert "file:///etc/passwd is no http or https address" in inside.stderr
    assert "空.txt: The file is empty: it has no bytes. Save it again" in inside.stderr
    assert "already there" in inside.stderr

    found = json.loads(program.run("search", "续借要办什么手续", "--json").stdout)
    assert "续借" in found["hits"][0]["passage"]["text"]
    assert found["hits"][0]["passage"]["kind"] == "regulation"

    answer = json.loads(program.run("ask", "档案借阅期限是多少天？", "--json").stdout)
    assert answer["status"] == "answered"
    assert "十五个工作日" in answer["statements"][0]["text"]
    assert "十五个工作日" in answer["citations"][0]["quote"]
    told = program.run("ask", "档案借阅期限是多少天？").stdout
    assert told.startswith(f"{answer['statements'][0]['text']}[1]\n")
    assert told.endswith(f"\n    {url}{answer['citations'][-1]['url']}\n")

    assert rule.stem in program.run("list").stdout
    (document,) = json.loads(program.run("list", "--json").stdout)
    shown = json.loads(program.run("show", document["id"]).stdout)
    assert [version["state"] for version in shown["versions"]] == ["live"]

    rule.write_text(RULE.replace("十五个工作日", "二十个工作日"), encoding="utf-8")
    replaced = program.run("replace", document["id"], str(rule))
    assert replaced.returncode == 0, replaced.stderr
    changed = json.loads(program.run("ask", "档案借阅期限是多少天？", "--json").stdout)
    assert "二十个工作日" in changed["statements"][0]["text"]
    assert all(citation["version"] == 2 for citation in changed["citations"])

    other = rule.with_name("食堂.md")
    other.write_text("# 食堂\n\n食堂每天中午十二点开饭。\n", encoding="utf-8")
    assert program.run("add", str(other), "--no-wait").returncode == 0
    refused = program.run("replace", document["id"], str(other))
    assert refused.returncode == 4
    assert "Nothing was replaced" in refused.stderr
    (holder,) = (it["id"] for it in json.loads(program.run("list", "--json").stdout) if it["id"] != document["id"])
    assert program.run("remove", holder).returncode == 0

    reindexed = program.run("reindex")
    assert reindexed.returncode == 0, reindexed.stderr
    doctor = program.run("doctor")
    assert doctor.returncode == 0, doctor.stdout

    assert program.run("remove", document["id"]).returncode == 0
    assert json.loads(program.run("search", "续借要办什么手续", "--json").stdout)["hits"] == []
    assert program.run("show", document["id"]).returncode == 3


def test_commands_work_without_a_server(program: Program, rule: Path) -> None:
    added = program.run("add", str(rule))
    assert added.returncode == 0, added.stderr
    answer = json.loads(program.run("ask", "档案借阅期限是多少天？", "--json").stdout)
    assert "十五个工作日" in answer["citations"][0]["quote"]
    told = program.run("ask", "档案借阅期限是多少天？").stdout
    assert f"\n    http://127.0.0.1:8000{answer['citations'][0]['url']}\n" in told
    assert told.endswith("while the server runs: xuesi serve\n")
    assert program.run("remove", answer["citations"][0]["document_id"]).returncode == 0
    assert json.loads(program.run("list", "--json").stdout) == []


def test_commands_that_begin_at_once_share_a_server(program: Program, rule: Path) -> None:
    assert program.run("add", str(rule), "--no-wait").returncode == 0
    environment = clean_environment(XUESI_DATA_DIR=str(program.data_dir))
    commands = [
        subprocess.Popen(
            [*program.command, "list", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=program.cwd,
        )
        for _ in range(3)
    ]
    for command in commands:
        said, complaint = command.communicate(timeout=600)
        assert command.returncode == 0, complaint
        assert len(json.loads(said)) == 1


@pytest.mark.parametrize(
    ("command", "given"),
    [("remove", ""), ("remove", "."), ("remove", "../jobs"), ("remove", "a?now=true"), ("compare", "../jobs")],
)
def test_what_is_no_id_reaches_nothing(program: Program, command: str, given: str) -> None:
    ended = program.run(command, given)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert "is no id" in ended.stderr


def test_failed_files_are_named_and_the_others_go_live(program: Program, rule: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "好.md").write_bytes(rule.read_bytes())
    (folder / "好，再存一次.md").write_bytes(rule.read_bytes() + b"\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog")
    (folder / "x.bin").write_bytes(bytes(range(256)) * 20)
    added = program.run("add", str(folder))
    assert added.returncode == 1
    for name in ("empty.txt", "cut.pdf", "x.bin"):
        assert name in added.stderr
    assert added.stderr.count("  (xuesi show ") >= 1  # the same text in other bytes is no failure
    assert "再存一次.md: " not in added.stderr
    assert " INFO " not in added.stderr  # the log of the worker is no answer to a person
    assert "Traceback" not in added.stderr
    assert len(json.loads(program.run("list", "--json", "--state", "live").stdout)) == 1


def test_port_in_use_is_said(program: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = program.run("serve", XUESI_PORT=str(port))
    assert ended.returncode == 78
    assert str(port) in ended.stderr
    assert "XUESI_PORT" in ended.stderr


def test_data_folder_that_cannot_be_written_is_said(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = program.run("list", XUESI_DATA_DIR=str(tmp_path / "file" / "var"))
    assert ended.returncode == 78
    assert "XUESI_DATA_DIR" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_index_that_is_damaged_or_of_another_model_is_refused_with_the_command_that_helps(
    program: Program, rule: Path
) -> None:
    assert program.run("add", str(rule)).returncode == 0
    for damaged in (program.data_dir / "lexical").rglob("meta.json"):
        damaged.write_text("{")
    refused = program.run("search", "续借")
    assert refused.returncode == 70
    assert "xuesi reindex" in refused.stderr
    assert program.run("reindex").returncode == 0
    assert json.loads(program.run("search", "续借", "--json").stdout)["hits"]
    import sqlite3

    with sqlite3.connect(program.data_dir / "catalogue.db") as database:
        database.execute("update fact set value = 'another-model' where key = 'embedding_fingerprint'")
    database.close()
    ended = program.run("search", "续借")
    assert ended.returncode == 4
    assert "xuesi reindex --model embedded" in ended.stderr
    assert program.run("reindex").returncode == 4
    mended = program.run("reindex", "--model", "embedded")
    assert mended.returncode == 0, mended.stderr
    assert json.loads(program.run("search", "续借", "--json").stdout)["hits"]


@pytest.mark.parametrize(
    ("name", "meant"), [("XUESI_PROT", "XUESI_PORT"), ("XUESI_EMBEDING_MODEL", "XUESI_EMBEDDING_MODEL")]
)
def test_misspelt_variable_is_refused(program: Program, name: str, meant: str) -> None:
    ended = program.run("list", **{name: "1"})
    assert ended.returncode == 78
    assert name in ended.stderr
    assert f"Did you mean {meant}?" in ended.stderr


def test_nothing_but_loopback_without_a_token(program: Program) -> None:
    ended = program.run("serve", XUESI_HOST="0.0.0.0", XUESI_PORT="0")
    assert ended.returncode == 78
    assert "XUESI_ADMIN_TOKEN" in ended.stderr


def test_writes_carry_the_token_and_what_waits_is_done_by_a_worker_that_is_started_by_hand(
    program: Program, rule: Path
) -> None:
    other = rule.with_name("食堂.md")
    other.write_text("# 食堂\n\n食堂每天中午十二点开饭。\n", encoding="utf-8")
    token = {"XUESI_ADMIN_TOKEN": "芝麻开门"}
    with program.serving("--no-worker", **token) as url, httpx.Client(base_url=f"{url}/api/v1", timeout=120) as http:

        def states(of: str) -> dict[str, str]:
            return {it["file_name"]: it["state"] for it in http.get(f"/{of}").raise_for_status().json()["items"]}

        refused = program.run("add", str(rule))
        assert refused.returncode == 77
        assert "token" in refused.stderr.lower()
        assert program.run("add", str(rule), str(other), "--no-wait", **token).returncode == 0
        (job,) = (it["id"] for it in http.get("/jobs").json()["items"] if it["file_name"] == other.name)
        assert program.run("cancel", job, **token).returncode == 0
        assert states("jobs") == {rule.name: "queued", other.name: "cancelled"}
        with _working(program):
            until(lambda: states("documents")[rule.name] == "live")
            assert states("jobs") == {rule.name: "done", other.name: "cancelled"}
            retried = program.run("retry", job, **token)
            assert (retried.returncode, retried.stdout) == (0, f"queued {job}\n"), retried.stderr
            until(lambda: states("documents")[other.name] == "live")
        assert program.run("ask", "借阅期限是多少天？").returncode == 0


@contextlib.contextmanager
def _working(program: Program) -> Iterator[None]:
    """A worker as a command of its own, which ends well when it is told to end."""
    environment = clean_environment(XUESI_DATA_DIR=str(program.data_dir))
    worker = subprocess.Popen([*program.command, "worker"], env=environment, cwd=program.cwd)
    try:
        yield
        worker.terminate()
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait(60)
