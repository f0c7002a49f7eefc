"""What does a chat model write?"""

from collections import abc
from enum import StrEnum
from typing import Protocol

Pieces = abc.Generator[str, None, None]


class Trouble(StrEnum):
    """Why a chat model wrote nothing, or not to the end; the fact `reason` of the ModelUnavailable that says so."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    BUSY = "busy"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    NONSENSE = "nonsense"
    TOO_LONG = "too_long"


class Generator(Protocol):
    """A chat model."""

    def write(self, instructions: str, request: str) -> Pieces:
        """What it writes, in pieces as they arrive. Closing the iterator ends the writing at the model's side too, and takes nothing more of its time.

        Args:
            instructions: What it is to do, as the system's message.
            request: The user's message.

        Raises:
            ModelUnavailable: While it is read: with the fact `reason` (`Trouble`). What came before is not complete then.
        """
        ...
