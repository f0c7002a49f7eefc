"""What is in a file that is a picture? Its pages, upright and of any size that is asked for; for reading them and for showing them.

Pillow decodes, so this is used in confined processes only. A picture has no size in print that could be believed (cameras and screens write 72
dots an inch), so its shorter side is taken for the width of a sheet of A4, or for as many points as it has pixels if those are fewer.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from xuesi.core.errors import TooMuchToRead, UnreadableDocument, XuesiError

_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "DIB")
_MOST_PIXELS = 70_000_000  # A1 at 300 dots an inch; decoded with transparency it takes 0.8 GB. Pillow itself warns from 89 million on
_SHEET = 595.0  # points, the width of A4
_WIDE_MODES = {"I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
_REDUCED, _MASK = 1, 4  # bits of TIFF's NewSubfileType: a page that is not one of its own
_SUBFILE_TYPE = 254
_LYING = (5, 6, 7, 8)  # EXIF orientations that swap width and height


class Pictures:
    """The pages of an open picture file: of a TIFF all, of any other format (an animation too) the first."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self._frames = list(_frames(image))

    def __len__(self) -> int:
        return len(self._frames)

    def size(self, number: int) -> tuple[int, int]:
        """Width and height of a page (from 1) in pixels, as it is shown.

        Raises:
            IndexError: If there is no such page.
            TooMuchToRead: If it has more pixels than any scan.
            UnreadableDocument: If it is damaged.
        """
        if not 1 <= number <= len(self):
            raise IndexError(f"the file has {len(self)} pages")
        with _picture_errors():
            self._image.seek(self._frames[number - 1])
            width, height = self._image.size
        if width * height > _MOST_PIXELS:
            raise _too_large(f"{width} × {height}")
        return (height, width) if self._lies() else (width, height)

    def page(self, number: int, size: tuple[int, int]) -> Image.Image:
        """A page as RGB in this size, upright, on white where it is transparent. Raises as `size`."""
        self.size(number)
        stored = size[::-1] if self._lies() else size
        with _picture_errors():
            self._image.draft(None, stored)  # a JPEG is decoded no larger than needed
            image = _eight_bits(self._image)
            if image.size != stored:
                image = image.resize(stored, Image.Resampling.LANCZOS, reducing_gap=3.0)
            return ImageOps.exif_transpose(_on_white(image))

    def _lies(self) -> bool:
        """Whether it is stored turned by a quarter; Pillow turns a TIFF by itself."""
        with _picture_errors():
            return self._image.format != "TIFF" and self._image.getexif().get(ExifTags.Base.Orientation, 1) in _LYING


@contextlib.contextmanager
def open_pictures(path: Path) -> Iterator[Pictures]:
    """Open the file at `path`; nothing of it is decoded yet.

    Raises:
        TooMuchToRead: If it has more pixels than any scan.
        UnreadableDocument: If it is damaged or no picture of a format that is read.
    """
    with contextlib.ExitStack() as stack:
        with _picture_errors():
            image = stack.enter_context(Image.open(path, formats=_FORMATS))
            pictures = Pictures(image)
        yield pictures


def points(size: tuple[int, int]) -> tuple[float, float]:
    """Width and height in points of a page with so many pixels."""
    a_point = max(1.0, min(size) / _SHEET)
    return size[0] / a_point, size[1] / a_point


def _frames(image: Image.Image) -> Iterator[int]:
    if image.format != "TIFF":
        yield 0
        return
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        kind = getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0)
        if not kind & (_REDUCED | _MASK):
            yield index


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller without loss of meaning: no palette, no bits, no wide numbers."""
    if image.mode in _WIDE_MODES:
        values = np.asarray(image, dtype=np.float32)
        most = 65535.0 if image.mode != "F" else float(np.nanmax(values, initial=1.0))
        return Image.fromarray((values.clip(0, most) * (255 / most)).astype(np.uint8))
    if image.mode in {"RGB", "L", "CMYK", "RGBA"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    white.info = dict(image.info)
    exif = image.getexif()
    if exif.get(ExifTags.Base.Orientation, 1) != 1:
        white.getexif()[ExifTags.Base.Orientation] = exif[ExifTags.Base.Orientation]
    return white


@contextlib.contextmanager
def _picture_errors() -> Iterator[None]:
    """Damage shows in Pillow as errors of many kinds; too many pixels as a warning or an error, which must not be overheard."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (XuesiError, MemoryError):
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise _too_large("too many") from error
        except Exception as error:
            raise UnreadableDocument(
                "The file is damaged or cut off: it cannot be opened as a picture.",
                hint="Get the file anew from its source.",
            ) from error


def _too_large(pixels: str) -> TooMuchToRead:
    return TooMuchToRead(
        f"The picture has {pixels} pixels; at most {_MOST_PIXELS // 1_000_000} million are read.",
        hint="Save it smaller: 300 dots an inch are enough for print.",
        limit="pixels",
    )
