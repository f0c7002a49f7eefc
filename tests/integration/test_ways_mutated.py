"""Whatever is changed in a picture, a mail, an archive or a locked file, it is read or refused in words: no other error, no hang."""

import contextlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import msoffcrypto.format.ooxml
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from ingest.formats import detect
from ingest.locked import unlock
from ingest.parcels import Most, members_of_mail, members_of_zip
from ingest.pictures import open_pictures
from ingest.readers.mail import MailReader
from tests.integration.test_parcels import a_mail, a_zip
from xuesi.core.errors import InvalidInput

_MOST = Most(1_000_000, 2_000_000)


def _picture(name: str) -> bytes:
    image = Image.new("RGB", (60, 40), (250, 250, 250))
    ImageDraw.Draw(image).text((5, 5), "abc", fill=(0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(target := io.BytesIO(), name, exif=exif)
    return target.getvalue()


def _tiff() -> bytes:
    image = Image.new("L", (60, 40), 250)
    image.save(target := io.BytesIO(), "TIFF", save_all=True, append_images=[image, image], compression="tiff_lzw")
    return target.getvalue()


def _mail() -> bytes:
    mail = a_mail(html="<html><body><p>请报送。</p><table><tr><td>一</td><td>二</td></tr></table></body></html>")
    mail.add_attachment(b"x" * 50, maintype="application", subtype="octet-stream", filename="名单.txt")
    mail.add_attachment(a_mail("转发"))
    return mail.as_bytes()


def _zip() -> bytes:
    return a_zip({"一.txt": "内容" * 50, "b/c.txt": "x" * 500}, compression=zipfile.ZIP_DEFLATED)


def _locked() -> bytes:
    plain, sealed = io.BytesIO(), io.BytesIO()
    docx.Document().save(plain)
    msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("word", sealed)
    return sealed.getvalue()


def _see(path: Path) -> None:
    with open_pictures(path) as pictures:
        for number in range(1, min(len(pictures), 5) + 1):
            pictures.page(number, (30, 20))


def _read_mail(path: Path) -> None:
    for member in members_of_mail(path, most=_MOST):
        b"".join(member.pieces())
    MailReader().read(path)


def _unpack(path: Path) -> None:
    for member in members_of_zip(path, password="x", most=_MOST):
        try:
            b"".join(member.pieces())
        except InvalidInput:
            continue


def _unlock(path: Path) -> None:
    unlock(path, "wrong", io.BytesIO())


CASES: dict[str, tuple[Callable[[], bytes], Callable[[Path], None], int]] = {
    "png": (lambda: _picture("PNG"), _see, 120),
    "jpeg": (lambda: _picture("JPEG"), _see, 120),
    "webp": (lambda: _picture("WEBP"), _see, 80),
    "bmp": (lambda: _picture("BMP"), _see, 60),
    "tiff": (_tiff, _see, 150),
    "mail": (_mail, _read_mail, 100),
    "zip": (_zip, _unpack, 200),
    "locked": (_locked, _unlock, 4),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_changed_file_is_read_or_refused_in_words(tmp_path: Path, kind: str) -> None:
    make, use, examples = CASES[kind]
    whole = make()
    path = tmp_path / "file"

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    @given(
        changes=st.lists(st.tuples(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=4)), max_size=6),
        kept=st.one_of(st.just(len(whole)), st.integers(1, len(whole))),
    )
    def hold(changes: list[tuple[int, bytes]], kept: int) -> None:
        data = bytearray(whole)
        for at, piece in changes:
            data[at : at + len(piece)] = piece
        path.write_bytes(bytes(data[:kept]))
        for step in (lambda: detect(path, f"a.{kind}"), lambda: use(path)):
            with contextlib.suppress(InvalidInput):
                step()

    hold()
