"""How is the program set up, and what is said of a setting that cannot be used?"""

from pathlib import Path

import pytest

from xuesi.cli.serving import as_options, environment_of
from xuesi.core.errors import Misconfigured
from xuesi.core.settings import load_settings


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "DATA_DIR", "ADMIN_TOKEN", "ADMIN_TOKEN_FILE", "EMBEDDING_API_KEY", "EMBEDDING_API_KEY_FILE"):
        monkeypatch.delenv(f"XUESI_{name}", raising=False)


def test_the_stronger_source_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("xuesi.toml").write_text("port = 8001\ncandidates = 60\nmax_pages = 70\n", encoding="utf-8")
    monkeypatch.setenv("XUESI_PORT", "8002")
    monkeypatch.setenv("XUESI_CANDIDATES", "61")
    settings = load_settings({"port": "8003"})
    assert (settings.port, settings.candidates, settings.max_pages) == (8003, 61, 70)


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("token").write_text("芝麻开门\n", encoding="utf-8")
    monkeypatch.setenv("XUESI_ADMIN_TOKEN_FILE", "token")
    token = load_settings().admin_token
    assert token
    assert token.get_secret_value() == "芝麻开门"


@pytest.mark.parametrize("held", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused_and_not_taken_for_none(
    held: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if held is not None:
        Path("token").write_bytes(held)
    monkeypatch.setenv("XUESI_ADMIN_TOKEN_FILE", "token")
    with pytest.raises(Misconfigured, match="XUESI_ADMIN_TOKEN_FILE names token"):
        load_settings()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"prot = 1", "no setting prot .in xuesi.toml.. Did you mean port"),
        (b'port = "x"', "port .from xuesi.toml. cannot be used"),
        (b"port = ", "xuesi.toml cannot be read as TOML"),
        (b'host = "\xff"', "xuesi.toml cannot be read as TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(held: bytes, said: str) -> None:
    Path("xuesi.toml").write_bytes(held)
    with pytest.raises(Misconfigured, match=said):
        load_settings()


def test_a_worker_gets_the_settings_of_its_server_and_its_secrets_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("key").write_text("of the file", encoding="utf-8")
    monkeypatch.setenv("XUESI_EMBEDDING_API_KEY_FILE", "key")
    database = "postgresql://xuesi:password@db/xuesi"
    settings = load_settings({"embedding_api_key": "of the command line", "database_url": database, "max_pages": "7"})
    assert as_options(settings) == ["--set", "max_pages=7"]
    for name, value in (environment := environment_of(settings)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XUESI_EMBEDDING_API_KEY_FILE")
    assert "XUESI_EMBEDDING_API_KEY_FILE" not in environment
    assert load_settings().database_url == database
    key = load_settings().embedding_api_key
    assert key
    assert key.get_secret_value() == "of the command line"


def test_what_the_command_line_leaves_empty_does_not_come_back_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XUESI_DATABASE_URL", "sqlite:///elsewhere.db")
    assert environment_of(load_settings())["XUESI_DATABASE_URL"] == "sqlite:///elsewhere.db"
    assert "XUESI_DATABASE_URL" not in environment_of(load_settings({"database_url": ""}))
