"""What is there, in which state, and what may be shown? The catalogue in SQL and the files that belong to it."""

from index.catalogue.catalogue import SqlCatalogue, open_catalogue

__all__ = ["SqlCatalogue", "open_catalogue"]
