"""How is OpenVINO loaded? Without the part that would call home."""

import sys

# On import OpenVINO reports its use to a server on the internet unless this package is missing; it then goes without.
# An organisation's closed network must see no such attempt, so the package is made to look missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402

__all__ = ["ov"]
