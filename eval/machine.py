"""Under what conditions were figures measured: on which machine, by which program, with which settings, when?"""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xuesi
from xuesi.core.settings import SECRETS, Settings

# What says where something is, and not how the program works.
_PLACES = {
    "data_dir",
    "host",
    "port",
    "database_url",
    "queue_url",
    "watched_folders",
    "embedding_base_url",
    "llm_base_url",
}


def conditions(settings: Settings) -> dict[str, Any]:
    """`machine` (with the commit), `settings` that are not the default, places and secrets left out, and `measured_at`, in UTC."""
    return {
        "machine": machine(),
        "settings": settings.model_dump(mode="json", exclude=_PLACES | set(SECRETS), exclude_defaults=True),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def machine() -> dict[str, str]:
    """Processor, cores, memory, system, Python and commit, as one line each."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    flags = next((line for line in _lines("/proc/cpuinfo") if line.startswith("flags")), "")
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "processor": cpu,
        "bf16": " ".join(flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags.split()) or "no",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kb / 1e6:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": commit(),
    }


def commit() -> str:
    """The program's commit, `-dirty` behind it where files differ from it; its version where it is no checkout."""
    place = Path(__file__).parents[1]
    if not (place / ".git").exists() or not shutil.which("git"):
        return f"version {xuesi.__version__}"
    described = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    told = subprocess.run(described, capture_output=True, text=True, check=False, cwd=place)  # noqa: S603 nothing from outside
    return told.stdout.strip() or f"version {xuesi.__version__}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
