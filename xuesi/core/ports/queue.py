"""How is a worker woken?"""

from typing import Protocol

from xuesi.core.domain import (
    JobId,
)


class Queue(Protocol):
    """Wakes a worker. It may lose or repeat a wake-up: the job's row is the truth."""

    def wake(self, job_id: JobId) -> None:
        """Tell a worker that the job waits.

        Raises:
            StoreUnavailable: If the queue does not answer.
        """
        ...
