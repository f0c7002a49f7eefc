"""How does the server show a page of a PDF or of a picture file? A confined process draws it (api/render_process.py); this has it started and says what went wrong."""

import hashlib
import importlib.util
import json
import logging
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ingest.apart.limits import Limits
from ingest.apart.process import Apart, Ended
from ingest.formats import PDF, PICTURES
from xuesi.core.errors import PageNotFound, RendererUnavailable

_log = logging.getLogger("xuesi.render")
_MEMORY_MB, _PNG_MB = 1_000, 200
# WenQuanYi Micro Hei 0.2.0-beta (Apache-2.0), as the package carries it.
_FONT_PACKAGE, _FONT_FILE = "paperang_p2_fonts_cjk", "fonts/wqy-microhei.ttc"
_FONT_SHA256 = "2420e8078af796b19a3f6ef13de527a1a91c1e7171eea115926c614ced1009b3"
DRAWN = PICTURES | {PDF.media_type}  # media types whose pages can be drawn
_LOOK = 1  # raise it when pages are drawn differently, so that browsers ask for them again


@cache
def chinese_font() -> Path | None:
    """The font for PDFs that carry no Chinese one; None, and a warning, where it is not installed or not the one we know."""
    spec = importlib.util.find_spec(_FONT_PACKAGE)
    if spec and spec.submodule_search_locations:
        path = Path(spec.submodule_search_locations[0]) / _FONT_FILE
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == _FONT_SHA256:
            return path
    _log.warning("the Chinese font of %s is missing: PDFs without embedded fonts are shown as text", _FONT_PACKAGE)
    return None


class PageRenderer:
    """Draws pages, one at a time, each in a confined process of its own that is forked from one with the font in its hands.

    Args:
        timeout_s: Longest time for one page; then its process is killed.
        font: File of the font for Chinese text whose font a PDF does not carry.
    """

    def __init__(self, *, timeout_s: float, font: Path | None) -> None:
        self._limits = Limits(timeout_s=timeout_s, silence_s=timeout_s, memory_mb=_MEMORY_MB, output_mb=_PNG_MB)
        self._font = font
        self._lock = threading.Lock()
        self._apart = Apart("api.render_process", str(font or ""))

    @property
    def look(self) -> str:
        """Changes when the same page would be drawn differently."""
        return f"{_LOOK}:{self._font.name if self._font else ''}"

    def page_png(
        self, path: Path, *, page: int, scale: float, marks: Sequence[tuple[float, float, float, float]]
    ) -> bytes:
        """The page as PNG, `scale` pixels a point, with the marked boxes (points from the top left) laid over it.

        A page of more than 24 million pixels is drawn smaller.

        Raises:
            PageNotFound: If the file has no such page or is encrypted.
            RendererUnavailable: If drawing failed or took too long.
        """
        request = {"do": "draw", "path": str(path), "page": page, "scale": scale, "marks": list(marks)}
        header, png = self._ask(request, what=f"page {page}")
        match header.get("error"):
            case None:
                return png
            case "page":
                raise PageNotFound(f"There is no page {page}: {header['detail']}.")
            case "locked":
                raise PageNotFound(
                    "The file is encrypted, so its pages are not drawn.", hint="Read its text instead: …/text"
                )
            case _:
                raise RendererUnavailable(
                    f"Page {page} cannot be drawn: {header['detail']}.", hint="Read its text instead: …/text"
                )

    def drawable(self, path: Path) -> bool:
        """Whether pages of the file can be drawn with all their letters: it opens without a password and fonts for its text are at hand."""
        try:
            header, _ = self._ask({"do": "look", "path": str(path)}, what="the file")
        except RendererUnavailable as error:
            _log.warning("%s", error)
            return False
        return bool(header.get("drawable", False))

    def close(self) -> None:
        """End the process."""
        self._apart.close()

    def _ask(self, request: dict[str, Any], *, what: str) -> tuple[dict[str, Any], bytes]:
        if not self._lock.acquire(timeout=2 * self._limits.timeout_s):
            raise RendererUnavailable("Other pages are being drawn and take long.", hint="Try again in a minute.")
        try:
            with tempfile.TemporaryDirectory(prefix="xuesi-page-") as folder:
                ended = self._apart.run(request, folder=Path(folder), limits=self._limits, watch=_unwatched)
                if ended.well:
                    header: dict[str, Any] = json.loads((Path(folder) / "header.json").read_bytes())
                    return header, (Path(folder) / "page.png").read_bytes()
        finally:
            self._lock.release()
        _log.warning("Drawing %s: %s. %s", what, ended, ended.log)
        raise self._reason(ended, what)

    def _reason(self, ended: Ended, what: str) -> RendererUnavailable:
        match ended.limit:
            case "time" | "silence":
                detail = f"Drawing {what} took longer than {self._limits.timeout_s:g} s and was stopped."
            case "memory":
                detail = f"Drawing {what} needs more than {self._limits.memory_mb} MB of memory."
            case _:
                detail = f"Drawing {what} ended the process that draws."
        return RendererUnavailable(detail, hint="Read the text instead: …/text")


def _unwatched(_done: int, _pages: int) -> None:
    """A page has no parts that could be told."""
