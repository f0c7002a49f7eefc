"""The tree keeps its promises: who imports what, what stands nowhere, what a wheel must not collide with."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import xuesi
from eval.kept import SHAPING
from xuesi.core.settings import Settings

ROOT = Path(__file__).parents[2]
OURS = ("xuesi", "ingest", "index", "answer", "api", "eval")

# Vendor: the only places that may import it.
VENDORS = {
    "torch": ("index/embedders/", "index/prepared/", "index/rerankers/"),
    "sentence_transformers": ("index/embedders/", "index/rerankers/"),
    "transformers": ("index/embedders/", "index/prepared/"),
    "openvino": ("xuesi/core/openvino_runtime.py",),
    "tokenizers": ("index/embedders/", "index/rerankers/"),
    "llama_index": (
        "index/embedders/llama_index.py",
        "index/retriever.py",
        "eval/llama_index_hybrid.py",
        "answer/generators/openai_like.py",
    ),
    "openai": ("answer/generators/openai_like.py",),
    "chromadb": ("index/vectors/chroma.py", "eval/llama_index_hybrid.py"),
    "tantivy": ("index/lexical.py",),
    "rjieba": ("index/tokens.py", "index/words.py"),
    "opencc": ("index/tokens.py",),
    "sqlalchemy": ("index/catalogue/",),
    "alembic": ("index/catalogue/",),
    "huey": ("ingest/queue.py", "ingest/worker.py"),
    "pypdf": ("ingest/readers/",),
    "msoffcrypto": ("ingest/locked.py",),
    "olefile": ("ingest/locked.py",),
    "PIL": ("ingest/pictures.py", "api/render_process.py"),
    "cv2": ("ingest/ocr/",),
    "rapidocr": ("ingest/ocr/",),
    "docx": ("ingest/readers/",),
    "pptx": ("ingest/readers/",),
    "trafilatura": ("ingest/readers/",),
    "fastapi": ("api/",),
    "typer": ("xuesi/cli/",),
}


def _sources() -> list[Path]:
    return [path for folder in OURS for path in (ROOT / folder).rglob("*.py")]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_vendor_is_imported_only_where_it_is_adapted(vendor: str) -> None:
    allowed = VENDORS[vendor]
    users = {path.relative_to(ROOT).as_posix() for path in _sources() if vendor in _imports(path)}
    assert users, f"nobody imports {vendor}: take it from the table"
    assert {user for user in users if not user.startswith(allowed)} == set()


def test_no_dependency_ships_a_package_of_our_names() -> None:
    shipped = importlib.metadata.packages_distributions()
    assert {name: shipped[name] for name in OURS[1:] if set(shipped.get(name, [])) - {"xuesi"}} == {}


def test_command_line_loads_no_heavy_package() -> None:
    heavy = (
        "torch",
        "llama_index",
        "chromadb",
        "openvino",
        "sentence_transformers",
        "tantivy",
        "sqlalchemy",
        "fastapi",
    )
    code = f"import sys, xuesi.cli.main; print([n for n in {heavy!r} if n in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_server_and_worker_load_neither_torch_nor_what_only_a_chat_model_needs() -> None:
    code = (
        "import sys, api.app, xuesi.wiring, index.embedders.openvino_model, index.rerankers.openvino_model, ingest.readers.pdf\n"
        "print([n for n in ('torch', 'transformers', 'sentence_transformers', 'llama_index', 'openai') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_every_setting_shapes_a_library_or_is_known_not_to() -> None:
    """A kept library of `xuesi eval --keep` is used again under any other value of these; see SHAPING in eval/kept.py."""
    of_search = {
        "lexical_weight",
        "late_weight",
        "rerank_model",
        "rerank_candidates",
        "rerank_budget_ms",
        "candidates",
        "answer_threshold",
        "max_statements",
        "max_question_chars",
    }
    of_places = {"host", "port", "data_dir", "admin_token", "log_level", "database_url", "queue_url", "trash_days"}
    known_by_fingerprint = {"embedding_model", "embedding_base_url", "embedding_api_key", "embedding_batch"}
    prefixes = ("watch", "job_", "llm_")
    waits = {name for name in Settings.model_fields if name.endswith("_timeout_s")}
    left = Settings.model_fields.keys() - of_search - of_places - known_by_fingerprint - waits
    assert {name for name in left if not name.startswith(prefixes)} == set(SHAPING)


def test_tests_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_project_names_no_foreign_place() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split(
        "\n"
    )
    absolute = re.compile(r"/(?:work|home/\w+|Users/\w+|root)/")
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".html", ".js", ".css", ".lock", ""} and path.is_file():
            found += [
                name
                for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
                if absolute.search(line)
            ]
    assert sorted(set(found) - {"tests/meta/test_tree.py"}) == []


def test_changelog_speaks_of_the_version() -> None:
    assert f"## {xuesi.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_lock_pins_everything_that_is_installed() -> None:
    lock = dict(
        line.split("==") for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").split() if "==" in line
    )
    pinned = {_canonical(name): version for name, version in lock.items()}
    # what torch brings along for a GPU depends on the machine, in the versions that torch itself pins
    of_torch = {
        _canonical(re.split(r"[\s;=<>!~\[(]", named)[0]) for named in importlib.metadata.requires("torch") or ()
    }
    wrong = {}
    for distribution in importlib.metadata.distributions():
        name, version = _canonical(distribution.name), distribution.version.split("+")[0]
        if (
            name not in ("pip", "xuesi", "wheel")
            and not (name in of_torch and name not in pinned)
            and pinned.get(name) != version
        ):
            wrong[name] = version
    assert wrong == {}
    assert pinned["torch"] == "2.13.0"


def test_what_the_lock_pins_runs_on_the_oldest_python_that_is_promised() -> None:
    # a package that needs 3.11.5 cannot be installed where the system's Python is 3.11.2
    oldest = re.fullmatch(r">=(3\.\d+)", importlib.metadata.metadata("xuesi")["Requires-Python"])
    assert oldest
    needs = {it.name: it.metadata["Requires-Python"] for it in importlib.metadata.distributions()}
    assert {
        name for name, versions in needs.items() if versions and f"{oldest[1]}.0" not in SpecifierSet(versions)
    } == set()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
