"""Can everybody read it? The colours of the stylesheet by WCAG 2.2, in light and in dark."""

import re
from pathlib import Path

import pytest

_CSS = (Path(__file__).parents[2] / "api" / "static" / "app.css").read_text(encoding="utf-8")
_TEXT = 4.5  # success criterion 1.4.3
_CONTROL = 3.0  # success criterion 1.4.11


def _colours(dark: bool) -> dict[str, str]:
    light_block, dark_block = re.findall(r":root \{(.*?)\n\s*\}", _CSS, re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light_block))
    if dark:
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark_block))
    return colours


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *[(front, back, _TEXT) for front in ("ink", "soft", "accent") for back in ("paper", "sheet")],
        *[(front, "wash", _TEXT) for front in ("ink", "soft", "accent", "accent-deep")],
        ("ink", "mark", _TEXT),
        ("on-accent", "accent", _TEXT),
        ("on-accent", "accent-deep", _TEXT),
        *[("edge", back, _CONTROL) for back in ("paper", "sheet")],
        ("mark-line", "mark", _CONTROL),
    ],
)
def test_contrast_is_enough(front: str, back: str, least: float, dark: bool) -> None:
    colours = _colours(dark)
    assert _contrast(colours[front], colours[back]) >= least
