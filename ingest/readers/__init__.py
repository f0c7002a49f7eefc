"""One file format per module: bytes to canonical text, pages, blocks and boxes."""
