"""How is OpenVINO loaded? Without the part that would call home, and ready for several threads. Slow to import, so only where a model runs."""

import sys

import numpy as np

# On import OpenVINO reports its use to a server on the internet unless this package is missing; it then goes without.
# An organisation's closed network must see no such attempt, so the package is made to look missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

# On the first use of an element type the binding fills a table under a lock of its own, looks NumPy up for it and lets go of the
# interpreter's lock meanwhile: two threads whose first inference begins at once then wait for each other for ever. So it is used here
# once, under the import lock, both ways.
ov.Tensor(np.zeros(1, dtype=np.float32)).get_element_type().to_dtype()

__all__ = ["ov"]
