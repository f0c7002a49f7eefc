"""What machine do the figures come from?"""

import os
import platform
import subprocess
from pathlib import Path


def machine() -> dict[str, str]:
    """Processor, cores, memory, system, Python and commit, as one line each."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    flags = next((line for line in _lines("/proc/cpuinfo") if line.startswith("flags")), "")
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "processor": cpu,
        "bf16": " ".join(flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags.split()) or "no",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kb / 1e6:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": commit or "unknown",
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
