"""Without any network: everything works, and nobody even tries to reach outside."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Program

pytestmark = pytest.mark.network_off
_OUTSIDE = re.compile(r"(?:connect|sendto|sendmsg)\(.*sa_family=AF_INET6?, .*(?:inet_addr|inet_pton)\(.*")
_LOOPBACK = re.compile(r'"127\.\d+\.\d+\.\d+"|"::1"|"::ffff:127\.')


@pytest.fixture
def no_network() -> list[str]:
    """What to put before a command so that it runs in a network namespace with nothing but loopback in it."""
    missing = [name for name in ("unshare", "ip", "strace") if not shutil.which(name)]
    works = not missing and subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode == 0
    if not works:
        reason = f"needs root and unshare, ip, strace (missing: {missing})"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    return ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def test_everything_works_and_nothing_reaches_out(program: Program, no_network: list[str], tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    script = tmp_path / "job.sh"
    files = " ".join(f"'{ROOT / 'corpus' / 'sample' / name}'" for name in _SAMPLES)
    xuesi = " ".join(f"'{part}'" for part in program.command)
    script.write_text(
        f"set -e\n{xuesi} add {files}\n{xuesi} ask '调研发现的问题怎样变成措施？' --json > '{tmp_path}/answer.json'\n",
        encoding="utf-8",
    )
    traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg", "-o", str(calls)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XUESI_")}
    environment["XUESI_DATA_DIR"] = str(program.data_dir)
    ended = subprocess.run(
        [*no_network, *traced, "sh", str(script)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=1200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert '"answered"' in (tmp_path / "answer.json").read_text(encoding="utf-8")
    tried = [
        line
        for line in calls.read_text(errors="replace").splitlines()
        if _OUTSIDE.search(line) and not _LOOPBACK.search(line)
    ]
    assert tried == []
    assert "AF_INET" in calls.read_text(errors="replace"), (
        "the trace saw no connection at all, not even those on loopback"
    )


_SAMPLES = (
    "findings-to-measures.pdf",
    "data-silos-report.docx",
    "sanxiang-story-slides.pptx",
    "hunan-theme-education-news.html",
    "bulletin-writing.txt",
)
