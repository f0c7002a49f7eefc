"""How much may a process that works apart take?"""

from dataclasses import dataclass

RESERVED = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take.

    Attributes:
        timeout_s: Longest time in all.
        silence_s: Longest time without a further page.
        memory_mb: Most memory held, in MB of 1,000,000 bytes; `RESERVED` times as much may be reserved.
        max_pages: Most pages of a document.
        max_unpacked_mb: Largest unpacked size of a file that is an archive (DOCX, EPUB, ZIP, …), in MB.
        output_mb: Largest file that may be written.
        convert_s: Longest time that another program takes to save a file of an old Office format in a newer one.
    """

    timeout_s: float = 3600.0
    silence_s: float = 120.0
    memory_mb: int = 1_000
    max_pages: int = 10_000
    max_unpacked_mb: int = 1_000
    output_mb: int = 1_000
    convert_s: float = 300.0
