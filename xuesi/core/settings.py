"""How is Xuesi set up? One flat list: `XUESI_*` environment variables, `xuesi.toml` in the current folder, `--set key=value`.

Stronger first: --set, environment, xuesi.toml, the default here. Unknown names are refused wherever they stand.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from xuesi.core.errors import Misconfigured

_FILE = Path("xuesi.toml")


class Settings(BaseSettings):
    """Every setting with its default, bounds and unit; docs/reference/settings.md is checked against this class."""

    model_config = SettingsConfigDict(
        env_prefix="XUESI_", extra="forbid", frozen=True, toml_file=_FILE, env_ignore_empty=True
    )

    host: str = Field(
        "127.0.0.1", description="Address that the server listens on. Any but loopback needs `admin_token`."
    )
    port: int = Field(8000, ge=0, le=65535, description="Port that the server listens on; 0 takes a free one.")
    data_dir: Path = Field(Path("var"), description="Folder of everything that is kept.")
    admin_token: SecretStr | None = Field(
        None,
        description="Token that every write, the trash, the report of the doctor, the watched folders and the embedding model need, if set.",
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="What is logged.")

    max_file_mb: int = Field(200, ge=1, le=4096, description="Largest file taken, in MB of 1,000,000 bytes.")
    max_question_chars: int = Field(2000, ge=100, le=10000, description="Longest question or query, in code points.")
    url_timeout_s: float = Field(30.0, gt=0, le=600, description="Longest time for fetching a document by its address.")

    embedding_model: str = Field(
        "embedded",
        min_length=1,
        description="`embedded`, a sentence-transformers folder or name, `openai:NAME` of a model server, or `llama-index:MODULE:NAME` "
        "for what a class or function without arguments gives.",
    )
    embedding_base_url: str = Field("", description="Address of the OpenAI-compatible embedding server, with /v1.")
    embedding_api_key: SecretStr | None = Field(None, description="Key for the embedding server.")
    embedding_batch: int = Field(
        32,
        ge=1,
        le=1024,
        description="Texts in one request to an embedding server; the embedded model batches by length.",
    )
    model_timeout_s: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Longest wait for a model server: for vectors, and for the next piece of a chat model's answer.",
    )

    database_url: str = Field("", description="SQLAlchemy address of the catalogue; empty: SQLite in the data folder.")
    vector_store: str = Field("chroma", pattern="^chroma$", description="Where vectors are indexed.")
    queue_url: str = Field("", description="Address of a Redis for wake-ups; empty: SQLite in the data folder.")

    passage_chars: int = Field(
        380,
        ge=100,
        le=2000,
        description="Longest passage of Chinese, in code points; 2.5 times as long where words are spaced.",
    )
    lexical_weight: float = Field(
        0.25, ge=0, le=5, description="Say of the words against the meaning in the score of a hit."
    )
    late_weight: float = Field(
        0.5,
        ge=0,
        le=5,
        description="Say of the meaning of single words in the score of a hit; 0 saves a few milliseconds.",
    )
    candidates: int = Field(
        50, ge=10, le=1000, description="Passages taken from each index before the rankings are fused."
    )
    rerank_model: str = Field(
        "",
        description="Cross-encoder that reads the best candidates together with the query and ranks them anew: the folder of a sentence-transformers "
        "CrossEncoder, or a hub name; empty: none.",
    )
    rerank_candidates: int = Field(20, ge=2, le=200, description="Candidates that the reranker scores at most.")
    rerank_budget_ms: float = Field(
        1000.0,
        gt=0,
        le=600_000,
        description="Time for scoring the candidates of one search, in ms; those that it does not reach come after those it does, in their order. "
        "The best four are always scored.",
    )
    answer_threshold: float = Field(
        0.35,
        ge=0,
        le=1,
        description="Confidence below which nothing is answered: the probability that the material holds the answer.",
    )
    max_statements: int = Field(5, ge=1, le=20, description="Most statements of an answer.")

    trash_days: float = Field(
        7.0, ge=0, le=3650, description="Days for which a removed document can be restored before it is purged."
    )

    watched_folders: str = Field(
        "",
        description="Folders from which new and changed files are taken while `xuesi serve` runs, separated by `:` (on Windows `;`).",
    )
    watch_every_s: float = Field(30.0, ge=0.1, le=86400, description="Time between two looks at the watched folders.")
    watch_quiet_s: float = Field(
        10.0,
        ge=0,
        le=86400,
        description="Time for which a file in a watched folder must stay as it is before it is taken.",
    )

    job_lease_s: float = Field(
        120.0, ge=1, le=3600, description="Time after which a job of a worker that fell silent is taken up again."
    )
    job_attempts: int = Field(3, ge=1, le=20, description="Times that a job is tried before it is reported as failed.")
    read_timeout_s: float = Field(3600.0, gt=0, le=86400, description="Longest time for reading one file, in all.")
    page_timeout_s: float = Field(
        120.0, gt=0, le=3600, description="Longest time that reading a file may go without a further page."
    )
    read_memory_mb: int = Field(
        1_000, ge=200, le=100_000, description="Most memory for reading one file, in MB of 1,000,000 bytes."
    )
    max_pages: int = Field(10_000, ge=1, le=1_000_000, description="Most pages of a document.")
    max_unpacked_mb: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Largest unpacked size of a file that is an archive (DOCX, PPTX, …), in MB.",
    )
    convert_timeout_s: float = Field(
        300.0, gt=0, le=3600, description="Longest time for converting a file of an old Office format (LibreOffice)."
    )
    render_timeout_s: float = Field(20.0, gt=0, le=300, description="Longest time for drawing a page.")

    llm_base_url: str = Field(
        "", description="Address of an OpenAI-compatible chat server, with /v1; empty: answers without a model."
    )
    llm_model: str = Field("", description="Name of the chat model.")
    llm_api_key: SecretStr | None = Field(None, description="Key for the chat server.")
    llm_timeout_s: float = Field(
        120.0, gt=0, le=3600, description="Longest time for one answer of the chat model, all in all."
    )
    llm_parallel: int = Field(
        2,
        ge=1,
        le=64,
        description="Answers that the chat model writes at once; one more waits up to ten seconds for its turn.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Overrides, then the environment, then xuesi.toml."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


SECRETS = ("admin_token", "embedding_api_key", "llm_api_key")  # never to be seen in a list of processes


def load_settings(overrides: dict[str, Any] | None = None) -> Settings:
    """Read the settings.

    Raises:
        Misconfigured: If a name is unknown, a value is out of its bounds or xuesi.toml is no TOML; names the setting and where it stands.
    """
    given = dict(overrides or {})
    _refuse_unknown(given, "--set")
    _refuse_unknown(
        {k[6:].lower(): v for k, v in os.environ.items() if k.upper().startswith("XUESI_")}, "the environment"
    )
    for name in SECRETS:
        path = os.environ.get(f"XUESI_{name.upper()}_FILE")
        if path and name not in given:
            given[name] = _secret(Path(path), name)
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        if first["type"] == "extra_forbidden":
            raise _unknown(name, str(_FILE)) from error
        raise Misconfigured(
            f"The setting {name} ({_source(name, given)}) cannot be used: {first['msg']}.",
            hint="docs/reference/settings.md lists every setting with what it allows.",
            setting=name,
        ) from error
    except (ValueError, OSError) as error:  # tomllib.TOMLDecodeError among them
        raise Misconfigured(
            f"{_FILE} cannot be read as TOML: {error}.", hint="Correct the file or move it away."
        ) from error


def _secret(path: Path, name: str) -> str:
    """What the file holds. An empty one is no secret: an administrator's token that nobody has to know would protect nothing."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"XUESI_{name.upper()}_FILE names {path}, which cannot be read: {error}.", setting=name
        ) from error
    if not secret:
        raise Misconfigured(
            f"XUESI_{name.upper()}_FILE names {path}, which is empty.",
            hint="Write the secret into it, or unset the variable.",
            setting=name,
        )
    return secret


def _source(name: str, given: dict[str, Any]) -> str:
    if name in given:
        return "from --set"
    if f"XUESI_{name.upper()}" in os.environ:
        return f"from the environment variable XUESI_{name.upper()}"
    return f"from {_FILE}"


def _refuse_unknown(names: dict[str, Any], where: str) -> None:
    for name in names:
        if name not in _known():
            raise _unknown(name, where)


def _known() -> set[str]:
    return {*Settings.model_fields, *(f"{name}_file" for name in SECRETS)}


def _unknown(name: str, where: str) -> Misconfigured:
    import difflib  # noqa: PLC0415 needed for a refusal only

    near = difflib.get_close_matches(name, _known(), n=1)

    def shown(setting: str) -> str:
        return f"XUESI_{setting.upper()}" if where == "the environment" else setting

    return Misconfigured(
        f"There is no setting {shown(name)} (in {where}).",
        hint=f"Did you mean {shown(near[0])}?" if near else "docs/reference/settings.md lists every setting.",
        setting=name,
    )
