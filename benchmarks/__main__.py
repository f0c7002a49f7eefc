"""All speed and memory figures, with the machine they come from: `make bench`, or `python -m benchmarks [--passages N]`."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.ingest import documents
from eval.machine import machine

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run one measurement after the other, each in a process of its own so that none weighs on the next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=50_000, help="size of the library for the search")
    passages = parser.parse_args().passages
    library = ROOT / "var" / f"bench-{passages}"
    material = _material(ROOT / "var" / "bench-material")
    for name, value in machine().items():
        print(f"{name:>22}  {value}")
    runs = (
        ("embedding", ["--count", "500"]),
        ("ingest", ["--documents", "40"]),
        ("search", ["--dataset", str(material), "--passages", str(passages), "--data-dir", str(library)]),
        ("start", ["--data-dir", str(library)]),
        ("rebuild", ["--data-dir", str(library)]),
        ("meanwhile", ["--documents", "100"]),
    )
    library.mkdir(parents=True, exist_ok=True)
    if not (library / "models").exists():
        (library / "models").symlink_to(ROOT / "var" / "models")
    for name, options in runs:
        print(f"\n{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=True, cwd=ROOT)


def _material(folder: Path) -> Path:
    """The sample corpus' paragraphs and questions as a dataset in BEIR form."""
    folder.mkdir(parents=True, exist_ok=True)
    paragraphs = sorted({line for text in documents(60) for line in text.split("\n\n")[1:]})
    entries = [{"_id": str(i), "title": "", "text": text} for i, text in enumerate(paragraphs)]
    asked = (ROOT / "eval" / "questions" / "sample.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [{"_id": str(i), "text": json.loads(line)["question"]} for i, line in enumerate(asked)]
    for name, rows in (("corpus", entries), ("queries", questions)):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
