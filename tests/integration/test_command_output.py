"""What do commands print, on a terminal of 80 columns and into a pipe?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.main
from rich.cells import cell_len
from typer.testing import CliRunner

from api.app import create_app
from index.owner import ADDRESS
from tests.api_library import opened, served, work
from xuesi.cli import ask, layout
from xuesi.cli.following import Progress
from xuesi.cli.main import app
from xuesi.core.errors import InvalidInput

TITLE = "读书班组织办法与现场教学安排：怎样把学习调研成果变成为民实招（示例）"
TEXT = "# 读书班\n\n## 一、借阅\n\n借阅期限为十五个工作日，到期需要继续使用的，应当办理续借。\n"


@dataclass
class Commands:
    """The commands beside a running server, in this process."""

    folder: Path
    http: httpx.Client
    patch: pytest.MonkeyPatch

    def add(self, name: str, data: bytes, **metadata: Any) -> dict[str, Any]:
        """Give the server a file."""
        files, told = {"file": (name, data)}, {"metadata": json.dumps(metadata)}
        answer: dict[str, Any] = self.http.post("/api/v1/documents", files=files, data=told).json()["documents"][0]
        return answer

    def __call__(self, *arguments: str, width: int | None = None) -> str:
        """What a command that succeeds prints: on a terminal where there is a width, else into a pipe."""
        for module in (layout, ask):
            self.patch.setattr(module, "terminal_width", lambda: width)
        ended = CliRunner().invoke(app, ["--set", f"data_dir={self.folder}", *arguments])
        assert ended.exit_code == 0, (ended.output, ended.exception)
        return ended.stdout


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commands]:
    with opened(tmp_path) as services, served(create_app(services)) as url:
        (tmp_path / ADDRESS).write_text(json.dumps({"url": url}))
        with httpx.Client(base_url=url, timeout=60) as http:
            run = Commands(tmp_path, http, monkeypatch)
            run.add("办法.md", TEXT.encode(), title=TITLE, kind="regulation", published_on="2024-05-01")
            run.add("空.md", b"# \n")
            work(services)
            yield run


def _fits(printed: str) -> bool:
    return max(map(cell_len, printed.splitlines())) <= 80


def test_documents_are_listed_within_the_terminal_and_whole_into_a_pipe(commands: Commands) -> None:
    on_terminal, in_pipe = commands("list", width=80), commands("list")
    ids = [item["id"] for item in json.loads(commands("list", "--json"))]
    assert _fits(on_terminal)
    assert "读书班组织" in on_terminal
    assert TITLE not in on_terminal
    assert TITLE in in_pipe
    for printed in (on_terminal, in_pipe):
        assert [line.split()[0] for line in printed.splitlines()] == ["id", *ids, "2"]


def test_jobs_are_listed_like_documents_with_the_reason_of_a_failure(commands: Commands) -> None:
    on_terminal, in_pipe = commands("jobs", width=80), commands("jobs")
    failed, done = json.loads(commands("jobs", "--json"))
    assert _fits(on_terminal)
    assert on_terminal.splitlines()[0].split() == ["id", "state", "stage", "time", "file"]
    assert " ".join(on_terminal.split()).count(f"空.md → {failed['error']['detail']}") == 1
    assert in_pipe.splitlines()[0].split() == ["id", "state", "stage", "done", "time", "file", "reason"]
    assert [line.split()[0] for line in in_pipe.splitlines()] == ["id", failed["id"], done["id"], "2"]
    assert in_pipe.splitlines()[1].endswith(failed["error"]["detail"])


def _address(commands: Commands, found: dict[str, Any]) -> str:
    """The line with the address that opens what was found."""
    address = f"{str(commands.http.base_url).rstrip('/')}{found['url']}"
    assert commands.http.get(address).status_code == 200
    return f"    {address}"


def test_a_hit_has_its_title_headings_text_and_address_on_lines_of_their_own(commands: Commands) -> None:
    found = json.loads(commands("search", "续借", "--json"))["hits"][0]
    on_terminal, in_pipe = commands("search", "续借", width=80).splitlines(), commands("search", "续借").splitlines()
    assert in_pipe[:4] == [
        f" 1  {found['score']:.3f}  {TITLE}, p. 1",
        f"    {' › '.join(found['passage']['heading_path'])}",
        f"    {' '.join(found['passage']['text'].split())}",
        _address(commands, found["passage"]),
    ]
    assert _address(commands, found["passage"]) in on_terminal
    assert all(cell_len(line) <= 80 for line in on_terminal if "http" not in line)
    assert on_terminal[-1].startswith("1 passage in")


def test_what_the_material_does_not_answer_ends_in_the_nearest_passages_and_where_to_read_them(
    commands: Commands,
) -> None:
    asked = ("ask", "月球上有多少座图书馆？")
    answer = json.loads(commands(*asked, "--json"))
    assert answer["status"] == "not_in_material"
    told = commands(*asked, width=80).splitlines()
    assert told[:2] == ["The material does not answer this. 材料中没有找到答案。", "Nearest passages 最接近的段落："]
    assert told[3].startswith(" 1  读书班组织办法")
    assert _address(commands, answer["nearest"][0]["passage"]) in told
    assert all(cell_len(line) <= 80 for line in told if "http" not in line)


def test_what_a_question_names_is_told_in_one_line(commands: Commands) -> None:
    for command in ("ask", "search"):
        told = commands(command, f"2024年以来《{TITLE}》和2023年的借阅期限是多少？").splitlines()
        expected = f"Preferred: 2024年以来 (published 2024-01-01 to …); 2023年 (published 2023-01-01 to 2023-12-31); 《{TITLE}》"
        assert told[0] == expected
        assert not commands(command, "续借").startswith("Preferred")


def test_a_library_without_documents_says_so(commands: Commands) -> None:
    for item in json.loads(commands("list", "--json")):
        commands("remove", item["id"])
    for command in ("search", "ask"):
        assert commands(command, "续借").splitlines()[-1].startswith("There is no passage to look in.")


def test_one_of_a_kind_is_no_plural(commands: Commands) -> None:
    live, _ = sorted(json.loads(commands("list", "--json")), key=lambda item: str(item["state"]), reverse=True)
    commands("remove", live["id"])
    told = commands("trash", width=80).splitlines()
    assert told[0].split() == ["id", "until", "title"]
    assert told[-1] == "1 document can be restored"
    assert commands("list").splitlines()[-1] == "1 document"
    assert commands("reindex").startswith("rebuilt: 0 passages in")
    commands("undelete", live["id"])
    assert commands("reindex").startswith("rebuilt: 1 passage in")
    assert _fits("\n".join(told))


def test_a_list_that_is_empty_says_so(commands: Commands) -> None:
    assert commands("near-duplicates") == "No two documents are nearly the same.\n"
    assert commands("jobs", "--state", "running", width=80) == "0 jobs\n"


def test_the_dictionary_is_shown_and_replaced_by_a_file(commands: Commands, tmp_path: Path) -> None:
    entries = tmp_path / "entries.txt"
    entries.write_bytes("\ufeff枫桥经验\r\n\r\n 四下基层 \r\n".encode())
    assert commands("dictionary", str(entries)) == "四下基层\n枫桥经验\n"
    assert json.loads(commands("dictionary", "--json")) == [{"text": "四下基层"}, {"text": "枫桥经验"}]


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_quoted_wording_that_stands_nowhere_is_told(commands: Commands, command: str) -> None:
    assert commands(command, "“永远不还”").startswith("No passage says “永远不还” word for word.\n")
    assert "word for word" not in commands(command, "永远不还")


@pytest.mark.parametrize("command", ["ask", "search"])
def test_what_is_no_day_is_refused_in_the_words_of_the_option(command: str) -> None:
    ended = CliRunner().invoke(app, [command, "续借", "--as-of", "tomorrow"])
    assert isinstance(ended.exception, InvalidInput)
    assert ended.exception.detail == "--as-of tomorrow is no day."
    assert "--as-of 2024-05-01" in (ended.exception.hint or "")


def test_the_bar_of_a_command_that_ended_leaves_only_its_lines() -> None:
    assert Progress(1).bar.live.transient


def test_each_argument_and_option_is_explained() -> None:
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        for parameter in command.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", f"{name} {parameter.name}"
