"""What do commands make of what goes wrong on the way?"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from fastapi.testclient import TestClient

from api.app import create_app
from index import owner
from tests.api_library import BASE, opened, served
from xuesi.cli import following, main, serving
from xuesi.cli.context import Client, client
from xuesi.cli.evaluate import check_writable
from xuesi.core.domain import DocumentId, JobId, JobState
from xuesi.core.errors import DataFolderBusy, InvalidInput, XuesiError
from xuesi.core.settings import Settings


def test_a_document_that_is_removed_while_it_is_waited_for_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as services:
        app = create_app(services)
        files = [("file", (f"{text}.txt", text.encode())) for text in ("读书班。", "食堂。")]
        removed, ended = TestClient(app, base_url=BASE).post("/api/v1/documents", files=files).json()["documents"]
        now = datetime.now(UTC)
        services.catalogue.delete_document(DocumentId(removed["document"]["id"]), at=now)
        services.catalogue.finish_job(JobId(ended["job"]["id"]), state=JobState.DONE, now=now)
        waiting = {one["job"]["id"]: one["file_name"] for one in (removed, ended)}
        with served(app) as url, closing(Client(url, token=None)) as server:
            told = list(following.follow(server, waiting, following.Progress(2)))
    assert told == ["读书班。.txt: Its document was removed before it was live."]


def test_a_wait_in_which_nothing_moves_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "_STILL_S", 0.0)
    with opened(tmp_path) as services:
        app = create_app(services)
        answer = TestClient(app, base_url=BASE).post(
            "/api/v1/documents", files={"file": ("a.txt", "读书班。".encode())}
        )
        job = JobId(answer.json()["documents"][0]["job"]["id"])
        ended = {"state": JobState.DONE, "now": datetime.now(UTC)}
        with served(app) as url, closing(Client(url, token=None)) as server:
            threading.Timer(1.0, services.catalogue.finish_job, (job,), ended).start()
            assert not list(following.follow(server, {job: "a.txt"}, following.Progress(1)))
    assert "xuesi doctor says why" in capsys.readouterr().err


def test_a_file_that_is_live_is_told_while_one_before_it_is_still_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path) as services:
        app = create_app(services)
        files = [("file", (f"{text}.txt", text.encode())) for text in ("读书班。", "食堂。")]
        taken = TestClient(app, base_url=BASE).post("/api/v1/documents", files=files).json()["documents"]
        long, short = (JobId(one["job"]["id"]) for one in taken)
        now = datetime.now(UTC)
        services.catalogue.claim_job(long, now=now, lease_until=now + timedelta(minutes=1))
        done = {"state": JobState.DONE, "now": now}
        services.catalogue.finish_job(short, state=JobState.DONE, now=now)
        with served(app) as url, closing(Client(url, token=None)) as server:
            threading.Timer(1.0, services.catalogue.finish_job, (long,), done).start()
            assert not list(following.follow(server, {long: "long", short: "short"}, following.Progress(2)))
    assert capsys.readouterr().err.split() == ["live", "short", "live", "long"]


def test_a_command_overtaken_by_one_that_has_ended_already_serves_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    @contextmanager
    def overtaken_once(*_: object, **__: object) -> Iterator[str]:
        tries.append("")
        if len(tries) == 1:
            raise DataFolderBusy("another one was quicker")
        yield "http://127.0.0.1:9"

    monkeypatch.setattr(serving, "served", overtaken_once)
    with client(Settings(data_dir=tmp_path)):
        assert len(tries) == 2


def test_an_owner_that_serves_nothing_is_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "_ADDRESS_S", 0.1)
    with owner.owned(tmp_path), pytest.raises(DataFolderBusy), client(Settings(data_dir=tmp_path)):
        pass


def test_a_redirection_is_no_success(tmp_path: Path) -> None:
    with (
        opened(tmp_path) as services,
        served(create_app(services)) as url,
        closing(Client(url, token=None)) as server,
        pytest.raises(XuesiError),
    ):
        server.call("DELETE", "/documents/")


def test_results_that_could_not_be_kept_are_not_worked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for json_file, report in ((str(tmp_path / "none" / "x.json"), None), (None, tmp_path / "file" / "report")):
        with pytest.raises(InvalidInput, match="cannot be written"):
            check_writable(json_file, report)
    check_writable("-", None)
    check_writable(str(tmp_path / "x.json"), tmp_path / "new" / "report")


def test_what_nobody_foresaw_ends_with_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = typer.Typer()

    @broken.command()
    def fails() -> None:
        raise ZeroDivisionError("of the program")

    monkeypatch.setattr(main, "app", lambda: broken([], standalone_mode=True))
    with pytest.raises(SystemExit) as ended:
        main.run()
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError: of the program" in said  # whoever mends it needs the place
    assert said.endswith("This is a mistake in Xuesi: ZeroDivisionError.\n")
