"""What is there, in which state, and what may be shown? The catalogue in SQL and the files that belong to it."""
