"""What does the process do that takes the encryption off an Office file? The work of `ingest.apart.zygote` for `ingest.apart.office`."""

from pathlib import Path
from typing import Any, BinaryIO

from ingest.apart.exchange import write_error
from ingest.apart.limits import Limits
from ingest.apart.zygote import Tell
from xuesi.core.errors import XuesiError

OUTPUTS = ("said.json", "unlocked")


def prepare(given: Any) -> None:
    """Nothing: what is needed is loaded when the first file has come."""
    del given


def load(name: str) -> None:
    """Load what the first file needed."""
    import ingest.locked  # noqa: F401, PLC0415

    del name


def work(request: dict[str, Any], outputs: dict[str, BinaryIO], limits: Limits, tell: Tell) -> None:
    """Write the file without its encryption, nothing if it has none, or why it cannot be had."""
    from ingest.locked import unlock  # noqa: PLC0415 the worker never loads it

    del limits
    tell({"used": "locked"})
    try:
        unlock(Path(request["path"]), request["password"], outputs["unlocked"])
    except XuesiError as error:
        write_error(error, outputs)
