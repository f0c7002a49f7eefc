"""What stands before an item of a list? Its number, or one bullet for all formats, whatever sign the file has."""

from ingest.marks import opens_paragraph

BULLET = "• "


def labelled(label: str, text: str) -> str:
    """An item as it is shown; one that brings a mark of its own, such as （一） or 第三条, is told by that and not by a bullet before it."""
    return text if label == BULLET and opens_paragraph(text.lstrip()) else label + text
