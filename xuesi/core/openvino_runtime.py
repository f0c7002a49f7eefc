"""How is OpenVINO loaded? Without the part that would call home, ready for several threads, and with the cores to itself. Slow to import, so only where a model runs."""

import sys

import numpy as np
import threadpoolctl

# On import OpenVINO reports its use to a server on the internet unless this package is missing; it then goes without.
# An organisation's closed network must see no such attempt, so the package is made to look missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

# On the first use of an element type the binding fills a table under a lock of its own, looks NumPy up for it and lets go of the
# interpreter's lock meanwhile: two threads whose first inference begins at once then wait for each other for ever. So it is used here
# once, under the import lock, both ways.
ov.Tensor(np.zeros(1, dtype=np.float32)).get_element_type().to_dtype()

# NumPy's BLAS keeps threads of its own, which after each product go on turning in wait of the next one and take the cores from the model: on
# two cores a question then takes 25 ms instead of 16. Its products here are too small to gain from a second thread.
threadpoolctl.threadpool_limits(1, user_api="blas")

__all__ = ["ov"]
