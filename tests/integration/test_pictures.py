"""Pictures are documents: read by OCR with a box for every character, shown as they are, and refused where nobody should decode them."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from api.boxes import marks
from api.render import PageRenderer, chinese_font
from ingest.formats import PICTURES, detect, open_reader
from ingest.pictures import open_pictures, points
from ingest.readers.image import _strips
from xuesi.core.domain import PageHow, Span
from xuesi.core.errors import NoText, PageNotFound, TooMuchToRead, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reading

LINES = ("调查研究是谋事之基", "没有调查就没有发言权", "要深入基层深入群众")
YELLOW = (255, 226, 110)


def page(lines: tuple[str, ...] = LINES, *, size: tuple[int, int] = (800, 500), at: int = 60) -> Image.Image:
    """A sheet with these lines, as a camera or a scanner would give it."""
    font_file = chinese_font()
    assert font_file is not None
    image = Image.new("RGB", size, (250, 250, 245))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(font_file), 36)
    for number, line in enumerate(lines):
        draw.text((60, at + 100 * number), line, fill=(20, 20, 20), font=font)
    return image


def read(path: Path) -> Reading:
    found = detect(path, path.name)
    assert found.media_type in PICTURES
    return open_reader(found).read(path)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def renderer() -> Iterator[PageRenderer]:
    drawing = PageRenderer(timeout_s=60, font=None)
    yield drawing
    drawing.close()


def test_lines_of_a_picture_come_in_order_with_boxes_where_they_stand(tmp_path: Path) -> None:
    reading = read(saved(page(), tmp_path / "a.png"))
    assert reading.text == "".join(LINES)  # full lines without a stop are one paragraph
    assert reading.boxes is not None
    for number, line in enumerate(LINES):
        start = reading.text.index(line)
        left, top, right, bottom = marks(reading.boxes, page=reading.pages[0], span=Span(start, start + len(line)))[0]
        assert abs(left - 60) < 12
        assert abs(right - (60 + 36 * len(line))) < 20
        assert top < (60 + 100 * number + 22) < bottom
    assert [it.how for it in reading.report] == [PageHow.OCR]
    assert reading.warnings == ()


def test_a_multi_page_tiff_has_its_pages_and_leaves_thumbnails_out(tmp_path: Path) -> None:
    first, second = page(LINES[:1], size=(700, 200)), page(LINES[1:2], size=(700, 200))
    path = tmp_path / "a.tif"
    small = first.resize((70, 20))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(path, save_all=True, append_images=[second.convert("1"), small], compression="tiff_lzw")
    reading = read(path)
    assert [p.span.of(reading.text).strip() for p in reading.pages] == list(LINES[:2])


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.bmp"])
def test_every_format_is_told_by_its_content_and_read(tmp_path: Path, name: str) -> None:
    image = page(LINES[:1], size=(700, 200))
    path = saved(image, tmp_path / name)
    assert LINES[0] in read(path.rename(tmp_path / "no-ending")).text


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_every_mode_is_decoded_as_it_looks(tmp_path: Path, mode: str) -> None:
    plain = page(LINES[:1], size=(300, 120), at=40)
    name = "a.tif" if mode == "CMYK" else "a.png"
    if mode in ("RGBA", "LA"):  # black writing on nothing
        image = Image.new(mode, plain.size, (0,) * len(mode))
        image.putalpha(plain.convert("L").point(lambda value: 255 - value))
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(plain.convert("L"), dtype=np.uint16) * 257)
    else:
        image = plain.convert(mode)
    with open_pictures(saved(image, tmp_path / name)) as pictures:
        shown = np.asarray(pictures.page(1, (300, 120)).convert("L"), dtype=np.float32)
    assert np.abs(shown - np.asarray(plain.convert("L"), dtype=np.float32)).mean() < 16


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png"])
def test_the_camera_s_orientation_is_respected(tmp_path: Path, name: str, turn: int) -> None:
    upright = Image.new("RGB", (60, 40), (255, 255, 255))
    upright.paste((255, 0, 0), (0, 0, 20, 10))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # members of Image.Transpose that a viewer's turn takes back
    stored = upright.transpose(Image.Transpose(undo[turn])) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    with open_pictures(saved(stored, tmp_path / name, exif=exif)) as pictures:
        assert pictures.size(1) == (60, 40)
        shown = pictures.page(1, (60, 40))
    assert shown.size == (60, 40)
    assert shown.getpixel((8, 5))[1] < 60  # type: ignore[index]
    assert shown.getpixel((50, 35))[1] > 200  # type: ignore[index]


def test_a_photo_lying_on_its_side_is_read_and_marked_as_it_is_shown(tmp_path: Path, renderer: PageRenderer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(page().transpose(Image.Transpose.ROTATE_90), tmp_path / "a.jpg", exif=exif)
    reading = read(path)
    start = reading.text.index(LINES[1])
    boxes = marks(reading.boxes, page=reading.pages[0], span=Span(start, start + len(LINES[1])))
    assert (reading.pages[0].width, reading.pages[0].height) == (800, 500)
    shown = Image.open(io.BytesIO(renderer.page_png(path, page=1, scale=1.0, marks=boxes)))
    assert shown.size == (800, 500)
    yellow = np.argwhere((np.abs(np.asarray(shown, dtype=int) - YELLOW) < 20).all(axis=2))
    (top, left), (bottom, right) = yellow.min(axis=0), yellow.max(axis=0)
    assert 140 < top < 175
    assert 195 < bottom < 230
    assert abs(left - 60) < 15
    assert abs(right - (60 + 36 * len(LINES[1]))) < 20


def test_a_long_screenshot_is_read_in_strips_that_cut_no_line(tmp_path: Path) -> None:
    lines = tuple(f"第{number:02}条学习要求" for number in range(28))
    image = page(lines, size=(600, 2860))
    reading = read(saved(image, tmp_path / "a.png"))
    assert "".join(reading.text.split()) == "".join(lines)
    for top, bottom in _strips(np.asarray(image)):
        assert bottom - top <= 2600
        assert (np.asarray(image)[top] == np.asarray(image)[top, 0]).all()


def test_a_page_that_is_not_there_and_a_picture_that_is_drawable(tmp_path: Path, renderer: PageRenderer) -> None:
    path = saved(page(), tmp_path / "a.png")
    assert renderer.drawable(path)
    with pytest.raises(PageNotFound):
        renderer.page_png(path, page=2, scale=1.0, marks=[])
    assert not renderer.drawable(saved_bytes(tmp_path / "b.png", path.read_bytes()[:20]))


def saved_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_a_picture_without_writing_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoText, match="picture"):
        read(saved(Image.new("RGB", (400, 300), (200, 210, 255)), tmp_path / "sky.png"))


def _claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(9_450, 9_450), (12_000, 12_000), (60_000, 60_000)])
def test_a_picture_of_more_pixels_than_any_scan_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with pytest.raises(TooMuchToRead, match="pixels"):
        read(saved_bytes(tmp_path / "a.png", _claims(*size)))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.bmp"])
def test_a_picture_that_is_cut_off_is_damaged(tmp_path: Path, name: str) -> None:
    whole = saved(page(), tmp_path / name).read_bytes()
    with pytest.raises(UnreadableDocument, match="picture"):
        read(saved_bytes(tmp_path / "cut", whole[: len(whole) // 2]))


def test_pictures_that_are_not_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="GIF"):
        detect(saved(page(), tmp_path / "a.gif"), "a.gif")


def test_points_of_a_page() -> None:
    assert points((1190, 1684)) == (595.0, 842.0)
    assert points((300, 100)) == (300, 100)
