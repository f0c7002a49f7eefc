"""The vector indexes, one vendor per module."""
