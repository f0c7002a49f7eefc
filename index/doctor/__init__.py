"""What is wrong with this installation, and how is it mended? Catalogue, files, both indexes, jobs and the disk, compared with one another."""
