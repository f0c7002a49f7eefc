"""Does a line go on with the one before it? Files break lines where a page was full; readers and passages want whole sentences."""

import re
from collections.abc import Sequence

from ingest.length import is_wide, length
from ingest.marks import ends_sentence, opens_paragraph

_FULL = 0.85  # a line this near to the usual width was broken because it was full


def joint(before: str, after: str) -> str:
    """What stands between two pieces of one sentence: nothing where either side is written without spaces, else a space."""
    if not before or not after or is_wide(before[-1]) or is_wide(after[0]):
        return ""
    hyphenated = before[-1] == "-" and len(before) > 1 and before[-2].isalpha() and after[0].islower()
    return "" if hyphenated else " "


def join(lines: Sequence[str]) -> str:
    """The lines as one."""
    joined = ""
    for line in lines:
        joined += joint(joined, line) + line
    return joined


def unwrap(text: str) -> list[str]:
    """The paragraphs of a plain text: its lines, joined where the file broke them because they were full."""
    lines = text.split("\n")
    width = _wrap_width([line.strip() for line in lines if line.strip()])
    if width is None:
        return [line.strip() for line in lines if line.strip()]
    spaced = sum(not line.strip() for line in lines) > len(lines) // 20
    paragraphs: list[list[str]] = []
    goes_on = False
    for line in lines:
        piece = line.strip()
        if piece:
            if goes_on and not opens_paragraph(piece) and not re.match(r"\s{2,}|\u3000", line):
                paragraphs[-1].append(piece)
            else:
                paragraphs.append([piece])
        full = length(piece) >= _FULL * width
        goes_on = bool(piece) and full and (spaced or not ends_sentence(piece))
    return [join(paragraph) for paragraph in paragraphs]


def _wrap_width(lines: Sequence[str]) -> float | None:
    """The width at which the file breaks its lines, or None where a line is a paragraph."""
    if len(lines) < 8:  # too few to tell
        return None
    widths = sorted(length(line) for line in lines)
    width = widths[int(len(widths) * 0.95)]
    full = [line for line in lines if length(line) >= _FULL * width]
    broken = sum(not ends_sentence(line) for line in full)
    return width if 12 <= width <= 60 and len(full) > 0.3 * len(lines) and broken > 0.6 * len(full) else None
