"""Can arrays be opened from several threads?"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xuesi.core import arrays


def test_headers_are_parsed_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", np.arange(6))
    load, parsing, seen = np.load, set[int](), []

    def slow(*args: Any, **kwargs: Any) -> Any:
        parsing.add(threading.get_ident())
        time.sleep(0.05)
        seen.append(len(parsing))
        parsing.remove(threading.get_ident())
        return load(*args, **kwargs)

    monkeypatch.setattr(np, "load", slow)
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(arrays.mapped, [tmp_path / "a.npy"] * 4))
    assert [array.tolist() for array in opened] == [[0, 1, 2, 3, 4, 5]] * 4
    assert seen == [1, 1, 1, 1]


def test_a_mapped_array_cannot_be_written(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6))
    with pytest.raises(ValueError, match="read-only"):
        arrays.mapped(tmp_path / "a.npy")[0] = 1
