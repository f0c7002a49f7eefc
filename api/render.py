"""How does the server show a page of a PDF? A process of its own draws it (api/render_process.py); this keeps that process and its limits."""

import contextlib
import hashlib
import importlib.util
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from xuesi.core.errors import PageNotFound, RendererUnavailable

_log = logging.getLogger("xuesi.render")
_PROGRAM = Path(__file__).with_name("render_process.py")
# WenQuanYi Micro Hei 0.2.0-beta (Apache-2.0), as the package carries it.
_FONT_PACKAGE, _FONT_FILE = "paperang_p2_fonts_cjk", "fonts/wqy-microhei.ttc"
_FONT_SHA256 = "2420e8078af796b19a3f6ef13de527a1a91c1e7171eea115926c614ced1009b3"
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
    """Draws pages, one at a time, in a process that is started when first needed and replaced when it dies or hangs.

    Args:
        timeout_s: Longest time for one page; then the process is killed.
        font: File of the font for Chinese text whose font a PDF does not carry.
    """

    def __init__(self, *, timeout_s: float, font: Path | None) -> None:
        self._timeout_s = timeout_s
        self._font = font
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

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
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any], *, what: str) -> tuple[dict[str, Any], bytes]:
        if not self._lock.acquire(timeout=2 * self._timeout_s):
            raise RendererUnavailable("Other pages are being drawn and take long.", hint="Try again in a minute.")
        try:
            try:
                return self._exchange(request, what=what)
            except (OSError, EOFError):
                self._end()  # it may have been killed while nobody asked: once more with a fresh one
                return self._exchange(request, what=what)
        except (OSError, EOFError) as error:
            self._end()
            raise RendererUnavailable(
                f"Drawing {what} ended the process that draws.", hint="Read the text instead: …/text"
            ) from error
        except RendererUnavailable:
            self._end()
            raise
        finally:
            self._lock.release()

    def _exchange(self, request: dict[str, Any], *, what: str) -> tuple[dict[str, Any], bytes]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._timeout_s, stop)
        timer.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            header: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
            png = process.stdout.read(header.get("bytes", 0))
        finally:
            timer.cancel()
        if late.is_set():
            raise RendererUnavailable(
                f"Drawing {what} took longer than {self._timeout_s:g} s and was stopped.",
                hint="Read the text instead: …/text",
            )
        if not header or len(png) != header.get("bytes", 0):
            raise EOFError
        return header, png

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the program's folder is no place to import from.
        command = [sys.executable, "-P", str(_PROGRAM), str(self._font or ""), str(self._timeout_s)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 our own program
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()
