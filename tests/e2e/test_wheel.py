"""The wheel, installed beside a package that has an `api` of its own, runs as a process far from any checkout."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ROOT, Program, clean_environment, data_folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, the dependencies of this one, and a foreign package named `api`."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)],
        check=True,
    )
    (wheel,) = folder.glob("xuesi-*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    (site / "api").mkdir()
    (site / "api" / "__init__.py").write_text("raise RuntimeError('a foreign api was imported')\n")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment


def test_wheel_puts_a_single_name_into_site_packages(installed: Path) -> None:
    (site,) = installed.glob("lib/python*/site-packages")
    names = {path.name for path in site.iterdir() if not path.name.startswith(("_", "."))}
    assert names == {"xuesi", "xuesi-0.1.0.dist-info", "api", "dependencies.pth"}


def test_installed_wheel_takes_a_file_and_answers(installed: Path, tmp_path: Path, model_dir: Path) -> None:
    program = Program(data_folder(tmp_path, model_dir), command=(str(installed / "bin" / "xuesi"),), cwd=tmp_path)
    material = tmp_path / "note.txt"
    material.write_text("值班安排\n\n周末值班由办公室负责，值班电话每天上午九点前报送。\n", encoding="utf-8")
    with program.serving() as url:
        added = program.run("add", str(material))
        assert added.returncode == 0, added.stderr
        answer = httpx.post(f"{url}/api/v1/ask", json={"question": "周末值班由谁负责？"}, timeout=120).json()
        page = httpx.get(f"{url}/", timeout=120)
    assert "办公室" in answer["statements"][0]["text"]
    assert page.status_code == 200
    assert "学思" in page.text


def test_installed_help_is_there(installed: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [str(installed / "bin" / "xuesi"), "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=clean_environment(),
    )
    assert "serve" in shown.stdout
