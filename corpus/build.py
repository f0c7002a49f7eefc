"""How are the sample files made? Builds corpus/sample from corpus/sources: `python -m corpus.build [--out FOLDER]`."""

import argparse
import shutil
from pathlib import Path

from corpus.blocks import Heading, parse
from corpus.manifest import Entry, read_manifest
from corpus.office import write_docx, write_pptx
from corpus.pdf import write_pdf
from corpus.web import write_html, write_txt

HERE = Path(__file__).resolve().parent
WRITERS = {".pdf": write_pdf, ".docx": write_docx, ".pptx": write_pptx, ".html": write_html, ".txt": write_txt}


def build(out: Path) -> list[Path]:
    """Build every document of the manifest into a folder; the same sources give the same bytes.

    Raises:
        ValueError: If a source does not begin with the title that the manifest gives.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [_build_one(entry, out / Path(entry.path).name) for entry in read_manifest(HERE / "manifest.toml")]


def _build_one(entry: Entry, target: Path) -> Path:
    source = HERE / entry.source
    blocks = parse(source.read_text(encoding="utf-8"))
    if blocks[0] != Heading(1, entry.title):
        raise ValueError(f"{entry.source} does not begin with the title {entry.title!r} of the manifest")
    if target.suffix == ".md":
        shutil.copyfile(source, target)
    else:
        WRITERS[target.suffix](blocks, entry, target)
    return target


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Build the sample documents from their sources.")
    arguments.add_argument("--out", type=Path, default=HERE / "sample", help="folder for the built files")
    for path in build(arguments.parse_args().out):
        print(path)
