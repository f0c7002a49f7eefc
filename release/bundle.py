"""Writes dist/xuesi-bundle: program, wheels, model and sample corpus, to be carried to a machine without a network. `make bundle`.

Run with the interpreter of a set-up checkout. The wheels are those of requirements.lock that the program needs at run time, for this Python
and this kind of machine; the folder says so in its README.
"""

import argparse
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from xuesi.core.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]


def needed(name: str) -> set[str]:
    """The canonical names of everything that a distribution needs at run time, itself included, as installed here."""
    seen: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
    while waiting:
        current, extras = waiting.pop()
        key = re.sub(r"[-_.]+", "-", current).lower()
        if key in seen and not extras:
            continue
        seen.add(key)
        for line in distribution(current).requires or []:
            requirement = Requirement(line)
            fits = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras}
            )
            if (
                fits
                and (re.sub(r"[-_.]+", "-", requirement.name).lower() not in seen or requirement.extras)
                and _installed(requirement.name)
            ):
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return seen


def _installed(name: str) -> bool:
    """GPU libraries that torch's default wheel names are left out where they are not installed."""
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def bundle(folder: Path) -> None:
    """Write the folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    names = needed("xuesi") - {"xuesi"}
    pins = [
        line
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() in names
    ]
    (folder / "requirements.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(wheels), "-r", str(folder / "requirements.txt")], check=True)
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(ROOT)], check=True)
    shutil.copytree(load_settings().data_dir / "models", folder / "models")
    shutil.copytree(ROOT / "corpus" / "sample", folder / "corpus" / "sample")
    shutil.copy(ROOT / "corpus" / "manifest.toml", folder / "corpus")
    shutil.copy(ROOT / "LICENSE", folder)
    for name in ("install.sh", "xuesi.sh"):
        shutil.copy(ROOT / "release" / name, folder / name)
    (folder / "README.txt").write_text(
        f"Xuesi for {platform.system()} {platform.machine()}, Python {sys.version_info.major}.{sys.version_info.minor}. Needs no network.\n\n"
        "  ./install.sh          installs into this folder\n"
        "  ./xuesi.sh serve      serves http://127.0.0.1:8000; everything it keeps lies in var/\n"
        "  ./xuesi.sh add /path/to/files        adds files; a path without a leading / is looked for in this folder\n"
        "  ./xuesi.sh serve --sample corpus/manifest.toml     the same, with the sample corpus\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "dist" / "xuesi-bundle")
    target = parser.parse_args().folder
    bundle(target)
    size_mb = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    print(f"{target}: {size_mb:.0f} MB")
