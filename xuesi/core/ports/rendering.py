"""How does a page come to be a picture?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Renderer(Protocol):
    """Pages as images, drawn outside the server's process."""

    def page_png(
        self, path: Path, *, page: int, scale: float, marks: Sequence[tuple[float, float, float, float]]
    ) -> bytes:
        """The page as PNG, `scale` pixels a point, with the marked boxes (points from the top left) laid over it.

        Raises:
            PageNotFound: If the file has no such page.
            RendererUnavailable: If drawing failed or took too long.
        """
        ...
