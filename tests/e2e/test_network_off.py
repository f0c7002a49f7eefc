"""Without any network: everything works, and nobody even tries to reach outside."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw, ImageFont

from api.render import chinese_font
from tests.api_library import PNG
from tests.e2e.conftest import ROOT, Program

pytestmark = pytest.mark.network_off
_TRACED = "connect,sendto,sendmsg,sendmmsg"
_INTERNET = re.compile(rf"(?:{_TRACED.replace(',', '|')})\(.*sa_family=AF_INET6?, .*(?:inet_addr|inet_pton)\(.*")
_LOOPBACK = re.compile(r'"127\.\d+\.\d+\.\d+"|"::1"|"::ffff:127\.')
# A name that is looked up leaves the machine, though it is a resolver of the machine itself (127.0.0.53) that is asked.
_RESOLVER = re.compile(r"sin6?_port=htons\(53\)")
_CONTROLS = (("127.0.0.53", 53), ("192.0.2.1", 443))
_SAMPLES = (
    "findings-to-measures.pdf",
    "data-silos-report.docx",
    "sanxiang-story-slides.pptx",
    "hunan-theme-education-news.html",
    "bulletin-writing.txt",
    "field-visit-notes.md",
)
_ON_PAPER = "阅览室每周三下午开放"


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
    calls, scan = tmp_path / "calls", tmp_path / "开放时间.png"
    _scanned(_ON_PAPER).save(scan)
    traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={_TRACED}", "-o", str(calls)]
    work = "import sys; from tests.e2e import test_network_off as it; it.work(*sys.argv[1:]); it.try_to_get_out()"
    ended = subprocess.run(
        [*no_network, *traced, sys.executable, "-c", work, str(program.data_dir), str(scan)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1200,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    tried = [
        line
        for line in calls.read_text(errors="replace").splitlines()
        if _INTERNET.search(line) and (_RESOLVER.search(line) or not _LOOPBACK.search(line))
    ]
    controls, others = tried[-len(_CONTROLS) :], tried[: -len(_CONTROLS)]
    assert others == []
    for line, (address, port) in zip(controls, _CONTROLS, strict=True):
        assert f'htons({port}), sin_addr=inet_addr("{address}")' in line, "the trace does not see who tries"


def _scanned(line: str) -> Image.Image:
    font_file = chinese_font()
    assert font_file
    image = Image.new("RGB", (800, 300), "white")
    ImageDraw.Draw(image).text((60, 100), line, fill="black", font=ImageFont.truetype(str(font_file), 40))
    return image


def work(data_dir: str, scan: str) -> None:
    """What people do with the program: add files of all formats and a scan, ask, and open the pages."""
    program = Program(Path(data_dir))
    with program.serving() as url, httpx.Client(base_url=url, trust_env=False, timeout=120) as http:
        added = program.run("add", *(str(ROOT / "corpus" / "sample" / name) for name in _SAMPLES), scan)
        assert added.returncode == 0, added.stderr
        asked = program.run("ask", "调研发现的问题怎样变成措施？", "--json")
        assert json.loads(asked.stdout)["status"] == "answered", asked.stderr
        items = _got(http, "/api/v1/documents").json()["items"]
        of_format = {it["media_type"]: f"/api/v1/documents/{it['id']}/versions/1" for it in items}
        assert len(of_format) == len(_SAMPLES) + 1
        assert _ON_PAPER in _got(http, f"{of_format['image/png']}/text").text
        assert _got(http, f"{of_format['application/pdf']}/pages/1.png").content.startswith(PNG)
        (folder,) = set(re.findall(r'"(/static/\w+)/', _got(http, "/").text))
        for file in (ROOT / "api" / "static").iterdir():
            _got(http, f"{folder}/{file.name}")


def _got(http: httpx.Client, address: str) -> httpx.Response:
    return http.get(address).raise_for_status()


def try_to_get_out() -> None:
    """What the trace must show if anything does it."""
    for address in _CONTROLS:
        with socket.socket(type=socket.SOCK_DGRAM) as way, contextlib.suppress(OSError):
            way.connect(address)
