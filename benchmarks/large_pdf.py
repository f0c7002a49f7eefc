"""How much memory does the largest file take? A PDF of 300 MB and 3,000 pages, text and images, goes through the real worker while its memory is watched.

    python -m benchmarks.large_pdf [--pages 3000] [--mb 300] [--file PATH]

Memory is what worker, zygote and reading process hold together (resident, so that what they share is counted more than once), looked at ten times a
second.
"""

import argparse
import contextlib
import io
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.ingest import documents
from xuesi.core.domain import JobState
from xuesi.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def build(place: Path, *, pages: int, megabytes: int) -> None:
    """Pages of Chinese text, each with a picture of noise that no packing makes smaller."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    chance = random.Random(0)
    paragraphs = [line for text in documents(60) for line in text.split("\n\n")[1:]]
    side = round((megabytes * 1_000_000 / pages / 1.1) ** 0.5)
    canvas = Canvas(str(place), pagesize=(595, 842), pageCompression=1)
    for number in range(1, pages + 1):
        canvas.setFont("STSong-Light", 11)
        text = "".join(chance.sample(paragraphs, 6))[:1200]
        for row in range(0, len(text), 42):
            canvas.drawString(60, 790 - row // 42 * 16, text[row : row + 42])
        noise = Image.frombytes("L", (side, side), chance.randbytes(side * side))
        jpeg = io.BytesIO()
        noise.save(jpeg, "JPEG", quality=90)
        jpeg.seek(0)
        canvas.drawImage(ImageReader(jpeg), 60, 40, 200, 200)
        canvas.drawString(280, 30, f"— {number} —")
        canvas.showPage()
    canvas.save()


class Watch(threading.Thread):
    """The most that a process and all below it hold, in bytes, by what they are and together."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self.over = threading.Event()
        self.peak: dict[str, int] = {}

    def run(self) -> None:
        """Look until `over`."""
        while not self.over.wait(0.1):
            held = {"worker": _resident(self._root), "zygote": 0, "reading": 0}
            for zygote in _children(self._root):
                held["zygote"] += _resident(zygote)
                held["reading"] += sum(_resident(child) for child in _children(zygote))
            held["together"] = sum(held.values())
            self.peak = {name: max(held[name], self.peak.get(name, 0)) for name in held}


def _children(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _resident(process: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def main() -> None:
    """Build the file where none is given, let a worker read it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--file", type=Path, help="use this file instead")
    given = parser.parse_args()
    from index.catalogue.catalogue import open_catalogue
    from index.catalogue.files import FileStore
    from ingest.apart.unpacking import UnpackingApart
    from ingest.intake import Accepted, Intake, Metadata
    from ingest.queue import open_queue
    from ingest.worker import limits_of

    with tempfile.TemporaryDirectory() as folder:
        place = given.file or Path(folder) / "large.pdf"
        if given.file is None:
            build(place, pages=given.pages, megabytes=given.mb)
        print(f"file       {place.stat().st_size / 1e6:.0f} MB")
        data_dir = Path(folder) / "var"
        data_dir.mkdir()
        (data_dir / "models").symlink_to(ROOT / "var" / "models")
        settings = Settings(data_dir=data_dir)
        with open_catalogue(f"sqlite:///{data_dir / 'catalogue.db'}") as catalogue:
            intake = Intake(
                catalogue=catalogue, files=FileStore(data_dir / "files"), queue=open_queue("", data_dir), max_bytes=10**10,
                unpack=UnpackingApart(data_dir / "unpacking", limits_of(settings), max_member_bytes=10**10),
                secrets=data_dir / "secrets",
            )  # fmt: skip
            with place.open("rb") as source:
                taken = intake.take(source, file_name=place.name, metadata=Metadata())
            assert isinstance(taken, Accepted)
            environment = {**os.environ, "XUESI_DATA_DIR": str(settings.data_dir)}
            worker = subprocess.Popen([sys.executable, "-m", "xuesi.launch", "worker"], cwd=ROOT, env=environment)
            watch = Watch(worker.pid)
            watch.start()
            started, stages = time.monotonic(), dict[str, float]()
            try:
                while (job := catalogue.job(taken.job.id)).stage != "publishing" and job.state in (
                    JobState.QUEUED,
                    JobState.RUNNING,
                ):
                    stages[job.stage] = time.monotonic() - started
                    time.sleep(0.2)
            finally:
                watch.over.set()
                worker.terminate()
                worker.wait(60)
            version = catalogue.version_by_id(taken.version.id)
    print(f"job        {job.state} {job.stage} {job.error_code} {job.error_detail}")
    print(f"pages      {version.pages}, {version.chars} characters, {version.passages} passages")
    for stage, seconds in stages.items():
        print(f"until      {seconds:.0f} s: {stage or 'claimed'}")
    for name, held in watch.peak.items():
        print(f"most held  {held / 1e6:.0f} MB: {name}")


if __name__ == "__main__":
    main()
